import type { Problem } from '../../common/problem.js';
import { isGiven, type YamlDictionary, type YamlTree } from '../../project/yaml/yamlTree.js';
import { ShapeCheck } from './check.js';
import { FILE } from './jobKeys.js';
import { checkRules } from './rules.js';

/** Everything that is wrong with a `boinc2docker.yml`, in order of position. */
export function checkFile({ root, problems }: YamlTree): Problem[] {
	if (!isGiven(root)) {
		return problems;
	}
	if (root.kind !== 'map') {
		return [
			...problems,
			{
				start: root.start,
				end: root.end,
				code: 'wrong-type',
				message: 'The file must be a list of “key: value” lines.',
				severity: 'error',
			},
		];
	}
	return checkMap(root, problems);
}

function checkMap(root: YamlDictionary, problems: readonly Problem[]): Problem[] {
	const check = new ShapeCheck();
	check.check(root, FILE, '');
	return [...problems, ...check.problems, ...checkRules(root)].sort((a, b) => a.start - b.start || a.end - b.end);
}
