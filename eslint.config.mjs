import tseslint from "typescript-eslint";

/**
 * Where a non-null assertion (`x[i]!`) is allowed: inner loops over buffers whose shapes were checked on entry.
 * Everywhere else (readers, tasks, reports, the command line, fit and query) the code has to say what happens when an
 * index is out of range.
 */
const INNER_LOOPS = [
  "src/rng.ts",
  "src/graph/**",
  "src/engine/**",
  "src/process/**",
  "src/data/*.ts",
  "src/space/**",
  "src/train/**",
  "src/hardware/**",
  "src/search/**",
  "src/emulator/**",
  "src/analysis/**",
  "src/compare/**",
  "cases/**",
  "bench/**",
  "test/**",
];

/** Mistakes that neither the compiler nor typescript-eslint reports. */
const CORE_RULES = {
  eqeqeq: ["error", "always", { null: "ignore" }],
  "no-cond-assign": "error",
  "no-constant-binary-expression": "error",
  "no-debugger": "error",
  "no-dupe-else-if": "error",
  "no-duplicate-case": "error",
  "no-empty": "error",
  "no-loss-of-precision": "error",
  "no-self-assign": "error",
  "no-self-compare": "error",
  "no-unmodified-loop-condition": "error",
  "no-unsafe-finally": "error",
  "no-unused-private-class-members": "error",
  "no-useless-escape": "error",
  "no-var": "error",
  "prefer-const": "error",
};

const TYPED_RULES = {
  "@typescript-eslint/no-explicit-any": "error",
  "@typescript-eslint/no-non-null-assertion": "error",
  "@typescript-eslint/consistent-type-imports": [
    "error",
    { fixStyle: "inline-type-imports", disallowTypeAnnotations: false },
  ],
  "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
  "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
  "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
  "@typescript-eslint/restrict-plus-operands": ["error", { allowNumberAndString: true }],
  // Off: they argue with readable numeric code, with checks at the doors, or with tables of functions.
  "@typescript-eslint/array-type": "off",
  "@typescript-eslint/consistent-type-definitions": "off",
  "@typescript-eslint/dot-notation": "off",
  "@typescript-eslint/no-confusing-void-expression": "off",
  "@typescript-eslint/no-empty-function": "off",
  "@typescript-eslint/no-unnecessary-condition": "off",
  "@typescript-eslint/no-unnecessary-type-parameters": "off",
  "@typescript-eslint/non-nullable-type-assertion-style": "off",
  "@typescript-eslint/prefer-for-of": "off",
  "@typescript-eslint/require-await": "off",
  "@typescript-eslint/unbound-method": "off",
};

export default tseslint.config(
  { ignores: ["dist/", "coverage/", "demo-out/", "out/", "datasets/", "**/*.js", "**/fixtures/", "**/golden/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" }, rules: CORE_RULES },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: TYPED_RULES,
  },
  { files: INNER_LOOPS, rules: { "@typescript-eslint/no-non-null-assertion": "off" } },
  {
    files: ["src/**/*.ts", "cases/**/*.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "Randomness is an argument: take an Rng (src/rng.ts)." },
      ],
    },
  },
);
