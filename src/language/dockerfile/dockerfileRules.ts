import type { Problem } from '../../common/problem.js';
import { copyFindings, runFindings, variableFindings } from './contentRules.js';
import { DockerfileText } from './dockerfileText.js';
import { baseFindings, imageFindings } from './imageRules.js';
import { startFindings } from './startRules.js';

const DOCS = 'https://docs.docker.com/reference/dockerfile/';
const RULES = [baseFindings, imageFindings, runFindings, copyFindings, variableFindings, startFindings];

/**
 * Rules for images that run on volunteers' computers: no network by default, no root powers, results in `/root/shared/results/`,
 * every byte downloaded by every host.
 */
export function dockerfileProblems(text: string): Problem[] {
	const file = new DockerfileText(text);
	const found = RULES.flatMap((rule) => [...rule(file)]);
	return found
		.map(({ code, severity, message, at, fix }) => ({
			...('start' in at ? at : file.span(at)),
			code: `docker-${code}`,
			severity,
			message,
			link: DOCS,
			...(fix && { fixes: [fix] }),
		}))
		.sort((a, b) => a.start - b.start);
}
