import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import { importX } from 'eslint-plugin-import-x';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Who may import whom: folder → folders of src/ that it must not import. The design's arrows, turned round. */
const folders = [
  'contract',
  'workflows',
  'activities',
  'runpod',
  'agent',
  'client',
  'cost',
  'log',
  'control',
  'cli',
  'embedded',
  'observability',
];
const arrows: Record<string, readonly string[]> = {
  contract: [],
  workflows: ['contract'],
  activities: ['contract', 'runpod', 'agent', 'client'],
  runpod: ['contract'],
  agent: ['contract'],
  client: ['contract'],
  cost: ['contract', 'client'],
  log: ['contract', 'client', 'cost'],
  control: ['contract', 'client', 'cost', 'observability'],
  cli: ['contract', 'client', 'control', 'cost', 'log', 'runpod', 'embedded', 'observability'],
  embedded: ['contract', 'client', 'observability'],
  observability: [],
};
const zones = Object.entries(arrows).map(([target, allowed]) => ({
  target: `./src/${target}`,
  from: [
    ...folders.filter((folder) => folder !== target && !allowed.includes(folder)).map((f) => `./src/${f}`),
    './emulator',
    './test',
  ],
  message: `${target}/ may import only ${allowed.length > 0 ? allowed.join(', ') : 'nothing'} from here.`,
}));

export default defineConfig(
  { ignores: ['dist', 'node_modules', '.devloop', 'scripts/*.mjs', 'examples'] },
  tseslint.configs.recommendedTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ project: './tsconfig.json' })] },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      'no-console': 'error',
      eqeqeq: 'error',
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            ...zones,
            { target: './emulator', from: ['./src', './test'], message: 'The emulator imports nothing from src/.' },
          ],
        },
      ],
      'import-x/no-cycle': 'error',
    },
  },
  {
    files: ['src/workflows/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: [
                'node:*',
                'axios',
                'pino',
                '@langchain/*',
                'langchain',
                '@temporalio/activity',
                '@temporalio/worker',
              ],
              message: 'Workflow code is replayed: no I/O and no Node API.',
            },
            {
              group: ['**/activities/*'],
              allowTypeImports: true,
              message: 'Activities are called through proxies: import their types only.',
            },
          ],
        },
      ],
      'import-x/no-restricted-paths': ['error', { zones: zones.filter((zone) => zone.target !== './src/workflows') }],
    },
  },
  {
    files: ['test/**', 'bench/**', 'scripts/**'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      // A stand-in has the shape of what it stands for.
      '@typescript-eslint/require-await': 'off',
      'no-console': 'off',
    },
  },
);
