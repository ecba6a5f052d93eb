import { FILE, KEYS, SCHEMA_VERSION } from './jobKeys.js';
import { describe, type Key, type Shape } from './shape.js';

/** A whole file. The README shows it too. */
const EXAMPLE = `name: Damped oscillator
dockerfile: Dockerfile
command: python3 /app/fit.py --damping {{damping}} --steps {{steps}}
inputs: [data/measured.csv] # at /root/shared/measured.csv
sweep:
  grid:
    damping: { from: 0.1, to: 2, count: 20 }
    steps: [1000, 10000] # 40 jobs
resources: { memory: 500 MB, time: 30 min }
outputs: { files: ["fit*.csv"] } # besides all that is in /root/shared/results/
`;

/** The reference page of the file as Markdown. Made from the table of keys; `syntaxes/` holds it. */
export function referencePage(): string {
	const lines = [
		'# boinc2docker.yml',
		'',
		'This page is made from the table of keys in `src/job/schema/`: `node scripts/schema.mjs`.',
		'',
		`Form ${SCHEMA_VERSION}. Sizes and durations have a unit: \`500 MB\`, \`2 GiB\`, \`90 s\`, \`3 h\`. Paths start from the folder of the file.`,
		'',
		'A whole file. Only one of `dockerfile`, `image` and `archive` must be there; all else has a default:',
		'',
		'```yaml',
		EXAMPLE.trimEnd(),
		'```',
		'',
		'## Jobs',
		'',
		...section(
			KEYS.filter(({ install }) => install !== true),
			'',
			new Set([FILE]),
		),
		'',
		'## Installing the app',
		'',
		...section(
			KEYS.filter(({ install }) => install === true),
			'',
			new Set([FILE]),
		),
	];
	return `${lines.join('\n').trimEnd()}\n`;
}

function section(keys: readonly Key[], prefix: string, seen: Set<Shape>): string[] {
	return keys.flatMap((key) => {
		const name = `${prefix}${key.name}`;
		return [
			`- **\`${name}\`**: ${key.doc}`,
			...(key.later === undefined
				? [
						`  - Value: ${describe(key.shape)}.${key.example === undefined ? '' : ` Example: \`${key.example}\`.`}${key.default === undefined ? '' : ` Default: ${key.default}.`}`,
						...(key.trap === undefined ? [] : [`  - ⚠ ${key.trap}`]),
					]
				: [`  - Refused for now. ${key.later}`]),
			...innerSections(key.shape).flatMap((inner) => {
				if (seen.has(inner)) {
					return [];
				}
				seen.add(inner);
				return section(inner.keys(), `${name}.`, seen);
			}),
		];
	});
}

function innerSections(shape: Shape): Extract<Shape, { type: 'section' }>[] {
	switch (shape.type) {
		case 'section':
			return [shape];
		case 'either':
			return shape.of.flatMap(innerSections);
		case 'list':
		case 'pairs':
			return innerSections(shape.of);
		default:
			return [];
	}
}
