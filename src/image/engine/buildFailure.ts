import { BoincError } from '../../common/errors.js';

/** Lines of a failed build that are shown. */
const SHOWN_LINES = 15;

/** Where and why a build failed, as far as its output tells. */
export interface BuildFailure {
	/** The instruction of the Dockerfile: `RUN make`. */
	readonly step: string | undefined;
	/** Its first line in the Dockerfile, counted from 1. */
	readonly line: number | undefined;
	/** The engine's own words. */
	readonly reason: string | undefined;
}

/** `Step 2/5 : RUN x` (Docker's classic builder), `STEP 2/5: RUN x` and `[1/2] STEP 2/5: RUN x` (Podman). */
const CLASSIC_STEP = /^(?:\[\d+\/\d+\] )?step \d+(?:\/\d+)? ?: (.+)$/i;
/** `#7 [build 2/5] RUN x`, and ` > [2/5] RUN x:` in the summary of a failure. */
const BUILDKIT_STEP = /^#\d+ \[[^\]]*\d+\/\d+\] (.+)$/;
const BUILDKIT_FAILED_STEP = /^ ?> \[[^\]]*\d+\/\d+\] (.+?):?$/;
/** `Dockerfile:12`, which BuildKit prints in front of the lines it quotes. */
const BUILDKIT_LINE = /^[^\s:]+:(\d+)$/;
const PARSE_LINE = /(?:parse error |parsing error |error )?on line (\d+)|dockerfile parse error line (\d+)/i;
const REASON = /^(?:ERROR: |Error: |Error response from daemon: |The command '.*' returned a non-zero code)/;
/** A program for another processor: the kernel says so of what is run, and builders only pass it on. */
const FOREIGN = /exec format error/i;
const EMULATION =
	'A program of the image is for another kind of processor than this computer’s. Install emulation (on Debian: sudo apt install qemu-user-static), or build for this computer’s platform only.';
const UNREACHABLE =
	/(?:pinging container registry|https?:\/\/[^\s"]+\/v2\/).*(?:dial tcp|no such host|timeout|connection refused|unreachable|proxyconnect)/i;
const REACH =
	'The registry of the base image cannot be reached: check the network or the proxy, or load the base image into the engine first.';
/** Podman prints what it made of an instruction that it does not know. */
const UNKNOWN_INSTRUCTION = /Build error: Unknown instruction: "([^"]+)"/;
const DUMP = / ?&imagebuilder\.Step\{.*$/;
const DUMP_ALONE = /^time=.*&imagebuilder\.Step\{/;
const PODMAN_STEP = /building at STEP "(.+?)": /;

/** Reads the output of a failed build. `dockerfile` is the text that was built. */
export function buildFailure(output: readonly string[], dockerfile: string): BuildFailure {
	const unknown = output.map((line) => UNKNOWN_INSTRUCTION.exec(line)?.[1]).find((word) => word !== undefined);
	if (unknown !== undefined) {
		return { step: undefined, line: firstLineWith(unknown, dockerfile), reason: `unknown instruction ${unknown}` };
	}
	const step = failedStep(output);
	const reason = output.findLast((line) => REASON.test(line)) ?? output.at(-1);
	return { step, line: statedLine(output) ?? (step === undefined ? undefined : lineOf(step, dockerfile)), reason };
}

function failedStep(output: readonly string[]): string | undefined {
	let last: string | undefined;
	for (const line of output) {
		const summary = BUILDKIT_FAILED_STEP.exec(line)?.[1] ?? PODMAN_STEP.exec(line)?.[1];
		if (summary !== undefined) {
			return summary;
		}
		last = CLASSIC_STEP.exec(line)?.[1] ?? BUILDKIT_STEP.exec(line)?.[1] ?? last;
	}
	return last;
}

function statedLine(output: readonly string[]): number | undefined {
	for (const line of output.toReversed()) {
		const parsed = PARSE_LINE.exec(line);
		const stated = BUILDKIT_LINE.exec(line)?.[1] ?? parsed?.[1] ?? parsed?.[2];
		if (stated !== undefined) {
			return Number(stated);
		}
	}
	return undefined;
}

/** The line on which an instruction begins that reads `step` once its continuations are joined. */
function lineOf(step: string, dockerfile: string): number | undefined {
	const wanted = collapsed(step);
	const lines = dockerfile.split(/\r?\n/);
	for (let first = 0; first < lines.length; first++) {
		let text = '';
		let last = first;
		for (; last < lines.length; last++) {
			const line = lines[last] ?? '';
			const isComment = /^\s*#/.test(line);
			text += isComment ? '' : line.replace(/[\\`]\s*$/, ' ');
			if (!isComment && !/[\\`]\s*$/.test(line)) {
				break;
			}
		}
		const candidate = collapsed(text);
		const plain = execFormAsWords(candidate);
		// Builders print expanded variables and cut long steps; the beginning is then enough.
		if (candidate !== '' && (candidate === wanted || plain === wanted || (wanted.length > 20 && candidate.startsWith(wanted)))) {
			return first + 1;
		}
		first = Math.max(first, last);
	}
	return undefined;
}

/** The line on which an instruction of that name begins first. */
function firstLineWith(keyword: string, dockerfile: string): number | undefined {
	const at = dockerfile.split(/\r?\n/).findIndex((line) => line.trim().split(/\s/)[0]?.toLowerCase() === keyword.toLowerCase());
	return at < 0 ? undefined : at + 1;
}

/** `RUN ["make", "all"]` as Podman prints it: `RUN make all`. */
function execFormAsWords(instruction: string): string | undefined {
	const [, keyword = '', list = ''] = /^(\w+) (\[.*\])$/.exec(instruction) ?? [];
	try {
		const words: unknown = JSON.parse(list);
		return Array.isArray(words) ? collapsed(`${keyword} ${words.join(' ')}`) : undefined;
	} catch {
		return undefined;
	}
}

const collapsed = (text: string): string => text.trim().replaceAll(/\s+/g, ' ');

/** What to do about a failed build, where its output tells. */
function adviceOn(output: readonly string[]): string | undefined {
	return output.some((line) => FOREIGN.test(line))
		? EMULATION
		: output.some((line) => UNREACHABLE.test(line))
			? REACH
			: undefined;
}

/** The error of a build that the engine ended: where, why, and what it said last. */
export function failedBuild(output: readonly string[], text: string, dockerfile: string, code: number): BoincError {
	const { step, line, reason } = buildFailure(output, text);
	const where = line === undefined ? dockerfile : `${dockerfile}, line ${line}`;
	const what = step === undefined ? '' : `, at the step “${step}”`;
	const said = output.filter((each) => !DUMP_ALONE.test(each)).map((each) => each.replace(DUMP, ''));
	const shown = said.slice(-SHOWN_LINES).join('\n');
	// The reason is in the message already.
	const rest = said.filter((each) => each !== reason && !UNKNOWN_INSTRUCTION.test(each)).slice(-SHOWN_LINES);
	const advice = adviceOn(output);
	const remedy = advice ?? 'Correct the Dockerfile or what it copies.';
	return new BoincError(
		'build-failed',
		`The image could not be built (${where}${what}): ${reason ?? `the engine ended with ${code}`}`,
		{
			remedy: rest.length === 0 ? remedy : `${remedy} The last lines of the build:\n${rest.join('\n')}`,
			detail: { dockerfile, line, step, reason, output: shown, advice },
		},
	);
}
