import js from '@eslint/js';
import simpleImportSort from 'eslint-plugin-simple-import-sort';
import tseslint from 'typescript-eslint';

// The rooms of src/, ground floor first, and what each may import (the layer table of CONTRIBUTING.md).
const MAY_IMPORT = {
	common: [],
	protocol: ['common'],
	connection: ['common'],
	project: ['common', 'connection'],
	image: ['common'],
	job: ['common', 'connection', 'project', 'image'],
	monitor: ['common', 'connection', 'project', 'image', 'job'],
	sandbox: ['common', 'connection', 'project', 'image', 'job', 'monitor'],
	language: ['common', 'protocol', 'project', 'job'],
	webview: ['protocol'],
	terminal: ['common', 'connection', 'project', 'image', 'job', 'monitor'],
	editor: ['common', 'protocol', 'connection', 'project', 'image', 'job', 'monitor'],
};
const ROOMS = Object.keys(MAY_IMPORT);
// dist/lib/: loaded on first use only. Types may be imported.
const LAZY = [
	'ssh2',
	'mysql2',
	'mysql2/promise',
	'fzstd',
	'xml2js',
	'yaml',
	'vscode-languageclient',
	'vscode-languageclient/node',
];

const layer = ([room, allowed]) => ({
	files: [`src/${room}/**/*.ts`],
	rules: {
		'@typescript-eslint/no-restricted-imports': [
			'error',
			{
				patterns: [
					...ROOMS.filter((other) => other !== room && !allowed.includes(other)).map((other) => ({
						regex: `^(\\.\\./)+${other}(/|$)`,
						message: `${room}/ may import only from: ${allowed.join(', ') || 'nothing'}.`,
					})),
				],
				paths: [
					...(room === 'editor'
						? []
						: [{ name: 'vscode', message: 'Only editor/ talks to VS Code; take a port from common/ports.ts.' }]),
					...(room === 'sandbox' || room === 'language'
						? []
						: LAZY.map((name) => ({
								name,
								allowTypeImports: true,
								message: `Load ${name} by await import() where it is used.`,
							}))),
				],
			},
		],
	},
});

export default tseslint.config(
	{ ignores: ['dist/**', 'coverage/**', 'test/fixtures/**', 'node_modules/**'] },
	js.configs.recommended,
	{
		files: ['**/*.ts'],
		extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
		languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
		plugins: { 'simple-import-sort': simpleImportSort },
		rules: {
			'simple-import-sort/imports': 'error',
			'simple-import-sort/exports': 'error',
			'@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
			'@typescript-eslint/consistent-type-imports': 'error',
			'@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
			'@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
			'@typescript-eslint/no-empty-function': ['error', { allow: ['methods', 'arrowFunctions'] }],
			'no-console': 'error',
			complexity: ['error', 16],
			'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
		},
	},
	...Object.entries(MAY_IMPORT).map(layer),
	{ files: ['src/cli.ts', 'src/terminal/**', 'src/sandbox/**', 'bench/**', 'iso/**', 'test/**'], rules: { 'no-console': 'off' } },
	{
		files: ['test/**/*.ts', 'bench/**/*.ts'],
		rules: {
			'@typescript-eslint/no-non-null-assertion': 'off',
			'max-lines': 'off',
			'@typescript-eslint/no-unsafe-assignment': 'off',
			'@typescript-eslint/no-unsafe-member-access': 'off',
			'@typescript-eslint/unbound-method': 'off',
		},
	},
	{
		files: ['**/*.mjs'],
		languageOptions: {
			globals: {
				process: 'readonly',
				console: 'readonly',
				Buffer: 'readonly',
				URL: 'readonly',
				URLSearchParams: 'readonly',
				setTimeout: 'readonly',
				clearTimeout: 'readonly',
				performance: 'readonly',
				fetch: 'readonly',
				document: 'readonly',
			},
		},
	},
);
