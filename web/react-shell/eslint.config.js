import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

const features = ["account", "cart", "devices", "orders", "session", "shop"];

/** Imports that one layer may not make, in the words that the linter prints. */
function forbid(files, patterns) {
  return { files, rules: { "no-restricted-imports": ["error", { patterns }] } };
}

const notApp = { group: ["@/app/*"], message: "The arrow points from app to features, components and lib." };
const notFeatures = { group: ["@/features/*"], message: "Components and lib know no feature." };

export default tseslint.config(
  { ignores: ["dist", "node_modules", "src/types/*.d.ts"] },
  js.configs.recommended,
  {
    files: ["src/**/*.{ts,tsx}", "vite.config.ts"],
    extends: [tseslint.configs.strictTypeChecked, reactHooks.configs.flat["recommended-latest"]],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "max-lines": ["error", 400],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
    },
  },
  // Props and styles would be blocked by the policy of the edge (style-src 'self').
  {
    files: ["src/**/*.tsx"],
    rules: {
      "no-restricted-syntax": [
        "error",
        { selector: "JSXAttribute[name.name='style']", message: "No inline style: the policy blocks it. Use a class." },
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "No raw HTML." },
      ],
    },
  },
  forbid(["src/components/**", "src/lib/**"], [notApp, notFeatures]),
  ...features.map((feature) =>
    forbid(
      [`src/features/${feature}/**`],
      [
        notApp,
        {
          regex: `^@/features/(?!${feature}/|session/session-context$)`,
          message: "Features do not import each other; all may use features/session/session-context.",
        },
        {
          regex: `^(?:\\.\\./)+(?:app|lib|components/ui|features|${features.join("|")})/`,
          message: "Leave the feature by @/…, so that the arrows can be checked.",
        },
      ],
    ),
  ),
  { files: ["scripts/**", "*.js"], languageOptions: { globals: globals.node } },
  { files: ["public/**/*.js"], languageOptions: { globals: globals.browser } },
);
