/** Numerical kernels that the simulators share: pure functions on numbers and typed arrays. */
export * from "./bessel.ts";
export * from "./constants.ts";
export * from "./dawson.ts";
export * from "./erf.ts";
export * from "./expint.ts";
export * from "./faddeeva.ts";
export * from "./gamma.ts";
export * from "./gauss-legendre.ts";
export * from "./gaussian-convolution.ts";
export * from "./interpolate.ts";
export * from "./linear-solve.ts";
export * from "./ode.ts";
export * from "./once.ts";
export * from "./roots.ts";
export * from "./sine-integral.ts";
export * from "./tridiagonal.ts";
