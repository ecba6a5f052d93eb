import { type Key, type Shape, TEXT, TEXTS } from './shape.js';

const INPUT_KEYS: readonly Key[] = [
	{ name: 'path', shape: TEXT, doc: 'Path below /root/shared.', default: 'the name of the file', example: 'data/in.csv' },
	{ name: 'file', shape: TEXT, doc: 'A file of this computer; may hold {{parameter}}.', example: 'data/in.csv' },
	{ name: 'files', shape: TEXTS, doc: 'Patterns of files: * and ? within a name, ** over folders.', example: 'data/*.csv' },
	{ name: 'folder', shape: TEXT, doc: 'A folder; each file in it is an input.', example: 'data' },
	{ name: 'ignore', shape: TEXTS, doc: 'Patterns of files to leave out, relative to the job file.', example: '["**/*.tmp"]' },
	{
		name: 'url',
		shape: {
			type: 'text',
			pattern: /^https?:\/\/[^\s/]+\/\S*[^\s/]$/,
			help: 'an address of a file that begins with https:// or http://',
		},
		doc: 'Address of a file on the web. It is fetched when jobs are submitted, compared with sha256, and sent to the server like a file of this computer.',
		example: 'https://example.org/in.csv',
	},
	{
		name: 'sha256',
		shape: { type: 'text', pattern: /^[0-9a-fA-F]{64}$/, help: '64 hexadecimal digits' },
		doc: 'SHA-256 of the file at url, as the program sha256sum tells it.',
		trap: 'With another content nothing is submitted.',
		example: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
	},
];
/** What an entry of `inputs` is. */
export const INPUT_KINDS = ['file', 'files', 'folder', 'url'] as const;

/** The value of `inputs`. */
export const INPUTS: Shape = {
	type: 'either',
	of: [
		{
			type: 'list',
			of: {
				type: 'either',
				of: [TEXT, { type: 'section', keys: () => INPUT_KEYS, kinds: INPUT_KINDS }],
				what: 'a file, or a map with file, files, folder or url',
			},
			single: true,
		},
		{ type: 'pairs', of: TEXT },
	],
	what: 'a list of files, or “path below /root/shared: file” lines',
};
