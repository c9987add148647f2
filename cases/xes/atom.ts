/** Aluminium in a solid by its K and L electrons; the M electrons are always free. Energies in eV. */

/** Number of states (k, l), k = 0..2 K electrons and l = 0..8 L electrons. */
export const STATES = 27;

/** Index of state (k, l): in this order no process moves an ion by more than 5 places down or 3 up. */
export const stateOf = (k: number, l: number): number => 3 * l + k;
export const BAND_BELOW = 3;
export const BAND_ABOVE = 5;

/** Charge of the ion with `k` and `l` electrons. */
export const chargeOf = (k: number, l: number): number => 13 - k - l;

/** Density of ions [cm⁻³] and their sphere's radius [Å]. */
export const ION_DENSITY = 6.026e22;
const ION_SPHERE = Math.cbrt(3 / (4 * Math.PI * ION_DENSITY * 1e-24));

/** Ionisation energy of the last L electron of an isolated ion with l = 1..8 of them (NIST). */
const L_IONISATION = [0, 442.0, 398.66, 330.21, 284.65, 241.76, 190.49, 153.83, 119.99];
const HELIUM_LIKE = 2085.98;
const HYDROGEN_LIKE = 2304.14;
/** Energy of the K-alpha line of an ion with one K hole and l = 1..8: close to the measured satellites. */
const K_ALPHA = [0, 1598.3, 1576, 1557, 1540, 1525, 1511, 1498, 1486.7];
/** A second K hole moves a line up by this. */
const SECOND_HOLE = 125;
/** No channel is cheaper than this. */
export const LEAST_THRESHOLD = 5;

/** Energy of the K-alpha line from (k, l) to (k + 1, l - 1). */
export const lineEnergy = (k: number, l: number): number => K_ALPHA[l]! + (k === 0 ? SECOND_HOLE : 0);

/** Lowering of the ionisation energy in the solid for an ion of charge `z`, scaled by `factor` (Ecker-Kroell-like). */
export function continuumLowering(factor: number, z: number): number {
  return (factor * (z + 1) ** (4 / 3) * 14.4) / ION_SPHERE;
}

/** Energy of each state above (2, 8), for a continuum lowered by `factor`. */
export function stateEnergies(factor: number): Float64Array {
  const energies = new Float64Array(STATES);
  const lowered = (energy: number, z: number): number => energy - continuumLowering(factor, z);
  for (let l = 8; l >= 1; l--) {
    const cost = Math.max(LEAST_THRESHOLD, lowered(L_IONISATION[l]!, 11 - l));
    energies[stateOf(2, l - 1)] = energies[stateOf(2, l)]! + cost;
  }
  for (let l = 1; l <= 8; l++) energies[stateOf(1, l)] = energies[stateOf(2, l - 1)]! + lineEnergy(1, l);
  energies[stateOf(1, 0)] = energies[stateOf(2, 0)]! + lowered(HELIUM_LIKE, 11);
  for (let l = 1; l <= 8; l++) energies[stateOf(0, l)] = energies[stateOf(1, l - 1)]! + lineEnergy(0, l);
  energies[stateOf(0, 0)] = energies[stateOf(1, 0)]! + lowered(HYDROGEN_LIKE, 12);
  return energies;
}
