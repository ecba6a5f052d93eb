import fc from 'fast-check';

import { directory, file, hardlink, symlink, type TestEntry } from './savedImages.js';

/** Layers of a few names, so that files, links and directories take each other's place. */
export const LAYERS = fc.array(
	fc.array(
		fc
			.tuple(
				fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }),
				fc.constantFrom('file', 'directory', 'symlink', 'hardlink', 'whiteout', 'opaque'),
				fc.nat(9),
			)
			.map(([parts, kind, number]): TestEntry => {
				const path = parts.join('/');
				const [last = '', ...above] = parts.toReversed();
				const beside = (name: string): string => [...above.toReversed(), name].join('/');
				switch (kind) {
					case 'directory':
						return { ...directory(path), mode: 0o700 + number };
					case 'symlink':
						return symlink(path, `to${number}`);
					case 'hardlink':
						return hardlink(path, 'a');
					case 'whiteout':
						return file(beside(`.wh.${last}`), '');
					case 'opaque':
						return file(beside('.wh..wh..opq'), '');
					default:
						return file(path, String(number));
				}
			}),
		{ maxLength: 12 },
	),
	{ minLength: 1, maxLength: 3 },
);
