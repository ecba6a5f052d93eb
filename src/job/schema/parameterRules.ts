import type { Problem } from '../../common/problem.js';
import { isGiven, type Span, valueOf, type YamlDictionary, type YamlNode } from '../../project/yaml/yamlTree.js';
import { OWN_PARAMETERS, parameterProblem, placeholders, specialWord } from '../sweep/names.js';

/** Parameters that nobody gives, that stand where they cannot, or that cannot have their name; and names of jobs. */
export function parameterProblems(root: YamlDictionary): Problem[] {
	const rules = new ParameterRules(root);
	rules.check();
	return rules.problems;
}

class ParameterRules {
	readonly problems: Problem[] = [];
	readonly #root: YamlDictionary;

	constructor(root: YamlDictionary) {
		this.#root = root;
	}

	check(): void {
		const sweep = valueOf(this.#root, 'sweep');
		this.#label(valueOf(sweep, 'name'));
		const known = new Set<string>();
		let isComplete = sweep !== undefined;
		if (sweep) {
			isComplete = this.#collect(sweep, known);
		}
		const names = [...known, ...OWN_PARAMETERS];
		for (const key of ['command', 'entrypoint', 'before', 'after', 'env', 'inputs', 'name']) {
			const value = valueOf(this.#root, key);
			if (!value) {
				continue;
			}
			const mayHold = ['command', 'env', 'inputs'].includes(key);
			eachScalar(value, (text, span) => {
				for (const { name } of placeholders(text)) {
					if (!mayHold) {
						this.#add(
							span,
							'parameter-not-here',
							`${key} is the same for all jobs, so {{${name}}} cannot stand in it.`,
							'Use it in command, env or inputs.',
						);
					} else if (!sweep || (isComplete && !names.includes(name))) {
						this.#add(
							span,
							'parameter-unknown',
							sweep
								? `There is no parameter ${name}; there are ${names.join(', ')}.`
								: `There is no sweep that gives the parameter ${name}.`,
							sweep ? 'Correct the name.' : 'Add a sweep, or remove the braces.',
						);
					}
				}
			});
		}
	}

	/** Names of all parameters of a sweep; `false` if a table's names are not known here. */
	#collect(sweep: YamlNode, known: Set<string>): boolean {
		this.#names(valueOf(sweep, 'grid'), known);
		for (const kind of ['random', 'sobol', 'latin']) {
			this.#names(valueOf(valueOf(sweep, kind), 'parameters'), known);
		}
		this.#row(valueOf(sweep, 'list'), known);
		const glob = valueOf(sweep, 'glob');
		if (glob) {
			const as = valueOf(glob, 'as');
			const parameter = as?.kind === 'scalar' ? as.text : 'file';
			known.add(parameter).add(`${parameter}_name`);
		}
		const parts = ['zip', 'product'].flatMap((kind) => {
			const list = valueOf(sweep, kind);
			return list?.kind === 'list' ? list.items : [];
		});
		return parts.map((part) => this.#collect(part, known)).every(Boolean) && !isGiven(valueOf(sweep, 'table'));
	}

	/** All rows of a list have the parameters of the first. */
	#row(list: YamlNode | undefined, known: Set<string>): void {
		const rows = list?.kind === 'list' ? list.items : [];
		const [first] = rows;
		this.#names(first, known);
		const expected = namesOf(first);
		for (const row of rows) {
			if (row.kind === 'map' && namesOf(row) !== expected) {
				this.#add(
					row,
					'ragged-row',
					`The row has the parameters ${listed(row)}, and the first one has ${listed(first)}.`,
					'Give all rows the same parameters.',
				);
			}
		}
	}

	#names(node: YamlNode | undefined, known: Set<string>): void {
		for (const { key } of node?.kind === 'map' ? node.pairs : []) {
			known.add(key.text);
			const why = parameterProblem(key.text);
			if (why !== undefined) {
				this.#add(key, 'parameter-name', `${key.text}: ${why}`, 'Use another name.');
			}
		}
	}

	/** What stands between the parameters of a name is in the names of all jobs. */
	#label(label: YamlNode | undefined): void {
		const word = label?.kind === 'scalar' ? specialWord(label.text.replace(/\{\{.*?\}\}/g, ' ')) : undefined;
		if (label && word !== undefined) {
			this.#add(label, 'label-special', `BOINC gives a meaning of its own to names with “${word}”.`, 'Use another word.');
		}
	}

	#add({ start, end }: Span, code: string, message: string, remedy: string): void {
		this.problems.push({ start, end, code, message, remedy, severity: 'error' });
	}
}

function namesOf(node: YamlNode | undefined): string {
	return node?.kind === 'map'
		? node.pairs
				.map(({ key }) => key.text)
				.sort()
				.join('\n')
		: '';
}

const listed = (node: YamlNode | undefined): string => namesOf(node).replaceAll('\n', ', ') || 'none';

function eachScalar(node: YamlNode, see: (text: string, span: Span) => void): void {
	if (node.kind === 'scalar') {
		see(node.text, node);
	} else {
		for (const inner of node.kind === 'list' ? node.items : node.pairs.flatMap(({ value }) => value ?? [])) {
			eachScalar(inner, see);
		}
	}
}
