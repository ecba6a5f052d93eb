import { messageOf } from '../../src/common/errors.js';

/** One fact that must hold, or one step that must work, with its own time limit. */
export interface Check<L> {
	/** A sentence in the present tense: what is true when the check passes. */
	readonly name: string;
	/** Default 60 seconds. */
	readonly timeoutMs?: number;
	/** Throws what differs. A text that it resolves to is printed beside the name. */
	readonly run: (lab: L, signal: AbortSignal) => Promise<unknown>;
}

export interface CheckGroup<L> {
	readonly title: string;
	readonly checks: readonly Check<L>[];
	/** Runs after each check, also after one that failed. */
	readonly afterEach?: (lab: L) => Promise<void>;
}

export interface CheckResult {
	readonly group: string;
	readonly name: string;
	readonly ok: boolean;
	readonly seconds: number;
	/** What differs, or a remark. */
	readonly text: string | undefined;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** Runs the groups in order, one check after another; `report` hears of each result at once. */
export async function runChecks<L>(
	groups: readonly CheckGroup<L>[],
	lab: L,
	report: (result: CheckResult) => void,
	signal: AbortSignal,
): Promise<readonly CheckResult[]> {
	const results: CheckResult[] = [];
	for (const group of groups) {
		for (const check of group.checks) {
			if (signal.aborted) {
				return results;
			}
			const result = await runCheck(group.title, check, lab, signal);
			results.push(result);
			report(result);
			await group.afterEach?.(lab);
		}
	}
	return results;
}

async function runCheck<L>(group: string, check: Check<L>, lab: L, signal: AbortSignal): Promise<CheckResult> {
	const started = performance.now();
	const limit = check.timeoutMs ?? DEFAULT_TIMEOUT_MS;
	const stop = new AbortController();
	const outcome = await withLimit(check.run(lab, AbortSignal.any([stop.signal, signal])), limit, signal).then(
		(remark) => ({ ok: true, text: typeof remark === 'string' ? remark : undefined }),
		(error: unknown) => ({ ok: false, text: messageOf(error) }),
	);
	stop.abort();
	return { group, name: check.name, ...outcome, seconds: (performance.now() - started) / 1000 };
}

/** The outcome of `work`, or a failure once the time is over or `signal` fires; whatever `work` does later is ignored. */
async function withLimit<T>(work: Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	let onAbort = (): void => undefined;
	const end = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not finished after ${ms / 1000} s`)), ms);
		onAbort = () => reject(new Error('interrupted'));
		signal.addEventListener('abort', onAbort, { once: true });
	});
	try {
		return await Promise.race([work, end]);
	} finally {
		clearTimeout(timer);
		signal.removeEventListener('abort', onAbort);
	}
}
