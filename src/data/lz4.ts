/**
 * LZ4 frames unpacked (LZ4 Frame Format 1.6, LZ4 Block Format): compressed Arrow files hold them, and the libraries
 * here unpack single blocks only. Checksums are passed over.
 */

const MAGIC = 0x184d2204;

/** Unpacks an LZ4 frame. @throws Error if it is damaged */
export function decompressLz4Frame(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 7 || view.getUint32(0, true) !== MAGIC) throw new Error("LZ4 frame without its magic number");
  const flags = frame[4]!;
  const blockChecksums = (flags & 0x10) !== 0;
  const sized = (flags & 0x08) !== 0;
  const dictionary = (flags & 0x01) !== 0;
  let at = 6 + (sized ? 8 : 0) + (dictionary ? 4 : 0) + 1;
  let out = new Uint8Array(sized ? Number(view.getBigUint64(6, true)) : 4 * frame.length);
  let filled = 0;
  const grow = (needed: number): void => {
    if (needed <= out.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * out.length));
    larger.set(out.subarray(0, filled));
    out = larger;
  };
  for (;;) {
    const head = view.getUint32(at, true);
    at += 4;
    if (head === 0) return out.subarray(0, filled);
    const size = head & 0x7fffffff;
    const block = frame.subarray(at, at + size);
    if (block.length < size) throw new Error("LZ4 frame is cut off");
    if (head >>> 31 === 1) {
      grow(filled + size);
      out.set(block, filled);
      filled += size;
    } else {
      filled = unpackBlock(block, filled);
    }
    at += size + (blockChecksums ? 4 : 0);
  }

  function unpackBlock(block: Uint8Array, start: number): number {
    let to = start;
    let i = 0;
    const length = (nibble: number): number => {
      let sum = nibble;
      if (nibble === 15) {
        let byte = 255;
        while (byte === 255) {
          if (i >= block.length) throw new Error("LZ4 block is cut off");
          byte = block[i++]!;
          sum += byte;
        }
      }
      return sum;
    };
    while (i < block.length) {
      const token = block[i++]!;
      const literals = length(token >> 4);
      if (i + literals > block.length) throw new Error("LZ4 block is cut off");
      grow(to + literals);
      out.set(block.subarray(i, i + literals), to);
      i += literals;
      to += literals;
      filled = to; // `grow` keeps what is filled
      if (i >= block.length) break;
      const offset = block[i]! | (block[i + 1]! << 8);
      i += 2;
      if (!(offset > 0 && offset <= to)) throw new Error("LZ4 block refers to before its start");
      const match = length(token & 15) + 4;
      grow(to + match);
      for (const end = to + match; to < end; to++) out[to] = out[to - offset]!;
      filled = to;
    }
    return to;
  }
}
