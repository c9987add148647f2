/**
 * The part of the ONNX file format that graphs need, as protobuf messages (field numbers and codes from onnx.proto3 of
 * ONNX 1.12, IR version 8). protobufjs compiles encoders and decoders from this description when the module loads.
 */
import protobuf from "protobufjs/light.js";
import { FileError } from "../../errors.ts";
import type { DType } from "../node.ts";

export const IR_VERSION = 8;
export const OPSET_VERSION = 17;

/** 64-bit integers are numbers when written and Long objects when read. */
export type Int64 = number | { toNumber(): number };

export interface DimensionMessage {
  readonly dimValue?: Int64;
  readonly dimParam?: string;
}
export interface ValueInfoMessage {
  readonly name?: string;
  readonly type?: {
    readonly tensorType?: {
      readonly elemType?: number;
      readonly shape?: { readonly dim?: readonly DimensionMessage[] };
    };
  };
}
export interface TensorMessage {
  readonly dims?: readonly Int64[];
  readonly dataType?: number;
  readonly name?: string;
  readonly rawData?: Uint8Array;
}
export interface AttributeMessage {
  readonly name?: string;
  readonly f?: number;
  readonly i?: Int64;
  readonly s?: Uint8Array;
  readonly ints?: readonly Int64[];
  readonly type?: number;
}
export interface NodeMessage {
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly name?: string;
  readonly opType?: string;
  readonly domain?: string;
  readonly attribute?: readonly AttributeMessage[];
}
export interface GraphMessage {
  readonly node?: readonly NodeMessage[];
  readonly name?: string;
  readonly initializer?: readonly TensorMessage[];
  readonly input?: readonly ValueInfoMessage[];
  readonly output?: readonly ValueInfoMessage[];
}
export interface ModelMessage {
  readonly irVersion?: Int64;
  readonly opsetImport?: readonly { readonly domain?: string; readonly version?: Int64 }[];
  readonly producerName?: string;
  readonly producerVersion?: string;
  readonly docString?: string;
  readonly graph?: GraphMessage | null;
  readonly metadataProps?: readonly { readonly key?: string; readonly value?: string }[];
}

const field = (id: number, type: string) => ({ id, type });
const list = (id: number, type: string) => ({ id, type, rule: "repeated" });

const root = protobuf.Root.fromJSON({
  options: { syntax: "proto3" },
  nested: {
    Dimension: { fields: { dimValue: field(1, "int64"), dimParam: field(2, "string") } },
    TensorShape: { fields: { dim: list(1, "Dimension") } },
    TensorType: { fields: { elemType: field(1, "int32"), shape: field(2, "TensorShape") } },
    Type: { fields: { tensorType: field(1, "TensorType") } },
    ValueInfo: { fields: { name: field(1, "string"), type: field(2, "Type") } },
    Tensor: {
      fields: {
        dims: list(1, "int64"),
        dataType: field(2, "int32"),
        name: field(8, "string"),
        rawData: field(9, "bytes"),
      },
    },
    Attribute: {
      fields: {
        name: field(1, "string"),
        f: field(2, "float"),
        i: field(3, "int64"),
        s: field(4, "bytes"),
        ints: list(8, "int64"),
        type: field(20, "int32"),
      },
    },
    Node: {
      fields: {
        input: list(1, "string"),
        output: list(2, "string"),
        name: field(3, "string"),
        opType: field(4, "string"),
        attribute: list(5, "Attribute"),
        domain: field(7, "string"),
      },
    },
    Graph: {
      fields: {
        node: list(1, "Node"),
        name: field(2, "string"),
        initializer: list(5, "Tensor"),
        input: list(11, "ValueInfo"),
        output: list(12, "ValueInfo"),
      },
    },
    OperatorSet: { fields: { domain: field(1, "string"), version: field(2, "int64") } },
    StringStringEntry: { fields: { key: field(1, "string"), value: field(2, "string") } },
    Model: {
      fields: {
        irVersion: field(1, "int64"),
        producerName: field(2, "string"),
        producerVersion: field(3, "string"),
        docString: field(6, "string"),
        graph: field(7, "Graph"),
        opsetImport: list(8, "OperatorSet"),
        metadataProps: list(14, "StringStringEntry"),
      },
    },
  },
});

const Model = root.lookupType("Model");

export function encodeModel(model: ModelMessage): Uint8Array {
  return Model.encode(model).finish();
}

/** @throws Error if the bytes are no protobuf message, or end early */
export function decodeModel(bytes: Uint8Array): ModelMessage {
  return Model.decode(bytes) as ModelMessage;
}

/** TensorProto.DataType */
export const typeCodes = { float32: 1, float64: 11, int64: 7, bool: 9 } as const satisfies Record<DType, number>;

/** @throws FileError `FILE_FOREIGN` if graphs do not have the element type of that code */
export function dtypeOf(code: number, where: string): DType {
  for (const [dtype, known] of Object.entries(typeCodes)) if (known === code) return dtype as DType;
  const known = Object.keys(typeCodes).join(", ");
  throw new FileError("FILE_FOREIGN", `"${where}" has ONNX element type ${code}; known are ${known}`);
}

/** AttributeProto.AttributeType */
export const attributeCodes = { float: 1, int: 2, string: 3, ints: 7 } as const;
