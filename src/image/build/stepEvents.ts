/** What a line of a builder's output means. */
export type StepEvent =
	| {
			readonly kind: 'begins';
			readonly key: string;
			readonly title: string;
			/** Whether the former step has ended by this: builders that do one step after the other. */
			readonly isNext: boolean;
			/** Place of the step, to tell the builder's next one from a program that prints the same. */
			readonly number?: string;
	  }
	| { readonly kind: 'ends'; readonly key?: string; readonly state: 'done' | 'cached' | 'failed' | 'cancelled' }
	| { readonly kind: 'prints'; readonly key?: string; readonly text: string }
	| { readonly kind: 'nothing' };

/** `Step 2/5 : RUN x` (Docker's classic builder), `STEP 2/5: RUN x` and `[1/2] STEP 2/5: RUN x` (Podman). */
const CLASSIC_STEP = /^(?:\[(\d+)\/\d+\] )?(?:Step|STEP) (\d+)(?:\/(\d+))? ?: (.+)$/s;
const COMMIT = /^(?:\[\d+\/\d+\] )?(COMMIT\b.*)$/;
/** What ends the step that runs, where one is done after the other. */
const ENDS: readonly [RegExp, 'cached' | 'failed' | 'done'][] = [
	[/^ ?-+> Using cache/, 'cached'],
	[/^(Error: )?(error )?building at STEP/, 'failed'],
	[/^Success(fully built|fully tagged)/, 'done'],
];
/** ` ---> 4ab4c602aa5e`, `--> 0a1b2c`, ` ---> Running in 0a1b2c`, `Removing intermediate container …`. */
const CLASSIC_NOISE = /^( ?-+> ([0-9a-f]{7,64}|Running in [0-9a-f]+)|Removing intermediate container [0-9a-f]+|[0-9a-f]{64})$/;
const BUILDKIT = /^#(\d+) (.*)$/s;
const BUILDKIT_STEP = /^\[([^\]]*)\] (.+)$/s;
const BUILDKIT_OTHER = /^(exporting to|importing |resolve image|extracting |load |sending |copying )/;
const BUILDKIT_TIME = /^\d+\.\d+ (.*)$/s;

/** Reads a line; `last` is the `number` of the step before. */
export function stepEvent(line: string, last: string): StepEvent {
	const buildkit = BUILDKIT.exec(line);
	if (buildkit) {
		return buildkitEvent(buildkit[1] ?? '', buildkit[2] ?? '');
	}
	const [, stage, place, of, title] = CLASSIC_STEP.exec(line) ?? [];
	if (place !== undefined && title !== undefined) {
		const number = `${stage ?? ''} ${place} ${of ?? ''}`;
		return follows(last, number)
			? { kind: 'begins', key: `step ${number}`, title, isNext: true, number }
			: { kind: 'prints', text: line };
	}
	const commit = COMMIT.exec(line)?.[1];
	if (commit !== undefined && last !== '') {
		return { kind: 'begins', key: `commit ${last}`, title: commit, isNext: true };
	}
	const end = ENDS.find(([pattern]) => pattern.test(line));
	if (end) {
		return { kind: 'ends', state: end[1] };
	}
	return CLASSIC_NOISE.test(line) ? { kind: 'nothing' } : { kind: 'prints', text: line };
}

/** Whether a step comes after another: what a program of a build prints in the same form rarely does. */
function follows(last: string, next: string): boolean {
	const [stage = '', place = '', of = ''] = next.split(' ');
	const [lastStage = '', lastPlace = '', lastOf = ''] = last.split(' ');
	return last === '' || stage !== lastStage ? place === '1' : of === lastOf && Number(place) === Number(lastPlace) + 1;
}

function buildkitEvent(key: string, text: string): StepEvent {
	const step = BUILDKIT_STEP.exec(text);
	if (step) {
		const [, where = '', what = ''] = step;
		return { kind: 'begins', key, title: /\d+\/\d+$/.test(where) ? what : text, isNext: false };
	}
	if (text === 'CACHED') {
		return { kind: 'ends', key, state: 'cached' };
	}
	if (/^DONE \d/.test(text)) {
		return { kind: 'ends', key, state: 'done' };
	}
	if (text.startsWith('ERROR')) {
		return { kind: 'ends', key, state: 'failed' };
	}
	if (text.startsWith('CANCELED')) {
		return { kind: 'ends', key, state: 'cancelled' };
	}
	if (text === '' || text === '...') {
		return { kind: 'nothing' };
	}
	if (BUILDKIT_OTHER.test(text)) {
		return { kind: 'begins', key, title: text, isNext: false };
	}
	return { kind: 'prints', key, text: BUILDKIT_TIME.exec(text)?.[1] ?? text };
}
