import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { expect, it } from 'vitest';
import oniguruma from 'vscode-oniguruma';
import textmate from 'vscode-textmate';

const root = path.resolve(import.meta.dirname, '../../..');
const grammarFile = (name: string): string => path.join(root, 'syntaxes', name);
const FILES: Readonly<Record<string, string>> = {
	'text.xml.boinc': grammarFile('boinc-template.tmLanguage.json'),
	'boinc.macros.injection': grammarFile('boinc-macros.tmLanguage.json'),
};

async function scopes(text: string): Promise<string[]> {
	const wasm = readFileSync(createRequire(import.meta.url).resolve('vscode-oniguruma/release/onig.wasm'));
	await oniguruma.loadWASM(wasm);
	const registry = new textmate.Registry({
		onigLib: Promise.resolve({
			createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
			createOnigString: (line) => new oniguruma.OnigString(line),
		}),
		loadGrammar: (scope) => {
			const file = FILES[scope];
			return Promise.resolve(file === undefined ? null : textmate.parseRawGrammar(readFileSync(file, 'utf8'), file));
		},
	});
	const grammar = await registry.loadGrammar('text.xml.boinc');
	let state = textmate.INITIAL;
	return text.split('\n').flatMap((line) => {
		const result = grammar!.tokenizeLine(line, state);
		state = result.ruleStack;
		return result.tokens
			.filter(({ startIndex, endIndex }) => line.slice(startIndex, endIndex).trim() !== '')
			.map(
				({ startIndex, endIndex, scopes: names }) => `${line.slice(startIndex, endIndex).trim()} → ${names.slice(1).join(' ')}`,
			);
	});
}

it('colours templates: macros, tags, numbers, quotes that break SQL, comments, half-typed tags', async () => {
	const text = `<?xml version="1.0"?>
<!-- one
comment -->
<file_info>
<name><OUTFILE_0/>.tgz</name>
<max_nbytes>1e8</max_nbytes>
<url><UPLOAD_URL/></url>
<command_line a="b">it's &lt; 5</command_line>
<half
<next/>`;
	expect(await scopes(text)).toMatchSnapshot();
});

it('the injection into XML is valid and injects into comments and texts nothing', () => {
	const grammar = JSON.parse(readFileSync(grammarFile('boinc-macros.tmLanguage.json'), 'utf8')) as {
		injectionSelector: string;
		patterns: { match: string }[];
	};
	expect(grammar.injectionSelector).toBe('L:text.xml -comment -string');
	expect('<OUTFILE_12/>').toMatch(new RegExp(grammar.patterns[0]!.match));
});
