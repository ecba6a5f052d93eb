/** A parameter is an environment variable too. */
export const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Parameters that every job of a sweep has. */
export const OWN_PARAMETERS = ['index', 'repetition'] as const;

/** Variables that a program or we rely on: a parameter of that name would break one of them. */
const RESERVED = /^(B2D_.*|PATH|HOME|USER|SHELL|PWD|LD_.*|IFS|index|repetition)$/;

/** Why a name cannot be that of a parameter. */
export function parameterProblem(name: string): string | undefined {
	if (!PARAMETER_NAME.test(name)) {
		return 'Names of parameters consist of letters, digits and underscores and do not begin with a digit.';
	}
	return RESERVED.test(name) ? 'The name is used already, by the system or by us.' : undefined;
}

const PLACEHOLDER = /\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}/g;

/** Names of the parameters in a text, in order, with where `{{name}}` starts and ends in it. */
export function placeholders(text: string): { readonly name: string; readonly start: number; readonly end: number }[] {
	return text.includes('{{')
		? [...text.matchAll(PLACEHOLDER)].map((match) => ({
				name: match[1] ?? '',
				start: match.index,
				end: match.index + match[0].length,
			}))
		: [];
}

/** `text` with the values of a row for `{{name}}`. Unknown names stay; they are refused before. */
export function fillIn(text: string, row: ReadonlyMap<string, string>): string {
	return text.includes('{{') ? text.replace(PLACEHOLDER, (whole, name: string) => row.get(name) ?? whole) : text;
}

/** Longest label: names of instances and outputs append to the job's name, and engines' commands have a limit. */
export const MAX_LABEL = 60;

/** The part of a job's name that comes from its parameters: letters, digits, `-` and `_`. */
export function labelOf(template: string, row: ReadonlyMap<string, string>): string {
	return fillIn(template, row)
		.replace(/[^A-Za-z0-9_-]+/g, '-')
		.replace(/^-+|-+$/g, '');
}

/** A word in a job's name that makes BOINC keep its files for ever, or take its report for a file transfer. */
export function specialWord(text: string): string | undefined {
	return /nodelete|upload|download/i.exec(text)?.[0];
}

/** Why a label cannot be part of a BOINC job's name. */
export function labelProblem(label: string): string | undefined {
	if (label === '') {
		return 'it has no letter or digit';
	}
	if (label.length > MAX_LABEL) {
		return `it has ${label.length} characters, and ${MAX_LABEL} is the most`;
	}
	const word = specialWord(label);
	return word === undefined ? undefined : `BOINC gives a meaning of its own to names with “${word}”`;
}
