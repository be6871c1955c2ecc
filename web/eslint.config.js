// SPDX-License-Identifier: MIT
//
// Besides the usual rules this file holds the house's two laws for web/: which folder may import
// which (the same picture as the daemon's), and who may touch a clock or the network.
import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const mayImport = {
  proto: [],
  session: ['proto'],
  room: ['proto'],
  throttle: ['proto'],
  insight: ['proto'],
  transport: ['proto', 'session', 'room', 'throttle', 'insight'],
  ui: ['proto', 'session', 'room', 'throttle', 'insight'],
};
const pure = ['proto', 'session', 'room', 'throttle', 'insight'];
const network = ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'];
const timers = ['setTimeout', 'setInterval', 'requestAnimationFrame', 'requestIdleCallback'];
const clocks = ['performance', 'window', 'document'];

const banned = (names, why) => names.map((name) => ({ name, message: why }));

function folderRule(folder) {
  const foreign = Object.keys(mayImport).filter(
    (other) => other !== folder && !mayImport[folder].includes(other),
  );
  const packages = {
    proto: ['react*', 'socket.io-client', 'uplot'],
    transport: ['react*', 'uplot'],
    ui: ['socket.io-client'],
  };
  const group = [
    ...foreign.map((other) => `**/${other}/**`),
    ...(packages[folder] ?? packages.proto),
  ];
  return {
    files: [`src/${folder}/**/*.{ts,tsx}`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group,
              message: `${folder}/ may import: ${mayImport[folder].join(', ') || 'nothing'}`,
            },
          ],
        },
      ],
    },
  };
}

export default tseslint.config(
  { ignores: ['**/dist/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}', 'client/src/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { 'react-hooks': hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      'max-lines': ['error', 200],
      complexity: ['error', 12],
      'max-depth': ['error', 3],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  ...Object.keys(mayImport).map(folderRule),
  {
    files: pure.map((folder) => `src/${folder}/**/*.ts`),
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...banned([...network, ...timers, ...clocks], 'pure folder: no I/O, no clock'),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'pure folder: `now` is passed in' },
        { object: 'Math', property: 'random', message: 'pure folder: same input, same output' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'pure folder: `now` is passed in',
        },
      ],
    },
  },
  {
    files: ['src/ui/**/*.{ts,tsx}', 'src/main.tsx'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...banned(
          [...network, 'setTimeout', 'setInterval'],
          'only src/transport has sockets and timers',
        ),
      ],
    },
  },
);
