/** Physical constants of the case studies (CODATA 2018): SI where no unit is named, plus the atomic-scale products used often. */

/** Speed of light [m/s]. */
export const LIGHT_SPEED = 2.99792458e8;
/** Elementary charge [C]; also one electronvolt in joules. */
export const ELEMENTARY_CHARGE = 1.602176634e-19;
/** Electron mass [kg]. */
export const ELECTRON_MASS = 9.1093837015e-31;
/** Reduced Planck constant [J s]. */
export const HBAR = 1.054571817e-34;
/** Boltzmann constant [J/K]. */
export const BOLTZMANN = 1.380649e-23;
/** Vacuum permittivity [F/m]. */
export const VACUUM_PERMITTIVITY = 8.8541878128e-12;
/** Atomic mass unit [kg]. */
export const ATOMIC_MASS_UNIT = 1.6605390666e-27;
/** Bohr radius [Å]. */
export const BOHR_RADIUS_ANGSTROM = 0.529177211;
/** e² / (4 pi eps0) [eV Å]. */
export const COULOMB_EV_ANGSTROM = 14.3996448;
/** hbar² / (2 m_e) [eV Å²]. */
export const HBAR2_OVER_2M_EV_ANGSTROM2 = 3.80998211;
/** hbar c [eV Å]. */
export const HBAR_C_EV_ANGSTROM = 1973.269804;
