import type { CompletionItem } from 'vscode-languageserver/node';

import { TOML_KEYS } from './jobToml.js';

/** The keys of the file. */
export const completeToml = (): CompletionItem[] =>
	TOML_KEYS.map(({ name, doc, trap, type }) => ({
		label: name,
		documentation: trap === undefined ? doc : `${doc} ⚠ ${trap}`,
		insertText: `${name} = ${{ string: '""', bool: 'true', int: '0', strings: '[]' }[type]}`,
	}));

/** What is known of the key in the line at an offset, as Markdown. */
export function hoverToml(
	text: string,
	offset: number,
): { readonly text: string; readonly start: number; readonly end: number } | undefined {
	const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
	const key = /^\s*([A-Za-z_]+)/.exec(text.slice(lineStart))?.[1];
	const spec = TOML_KEYS.find(({ name }) => name === key);
	return (
		spec && {
			text: `**\`${spec.name}\`** ${spec.doc}\n\nDefault: ${spec.default}.${spec.trap === undefined ? '' : `\n\n⚠ ${spec.trap}`}`,
			start: lineStart,
			end: lineStart + spec.name.length,
		}
	);
}
