import { type Axis, item } from './rows.js';

/** A range of numbers with both ends, as in the file. */
export interface Range {
	readonly from: number;
	readonly to: number;
	readonly step?: number;
	readonly count?: number;
	readonly scale?: 'linear' | 'log';
	readonly whole?: boolean;
}

/** Values that are listed. */
export function listAxis(values: readonly string[]): Axis {
	return { count: values.length, at: (index) => item(values, index) };
}

/** Why a range has no values, or `undefined`. `isSample`: values are drawn from it, so it needs neither step nor count. */
export function rangeProblem(range: Range, isSample: boolean): string | undefined {
	const { from, to, step, count, scale } = range;
	if (scale === 'log' && (from <= 0 || to <= 0)) {
		return 'with scale log both ends must be above 0';
	}
	if (isSample) {
		return step !== undefined || count !== undefined
			? 'values are drawn from it, so step and count have no meaning'
			: to < from
				? 'its end is below its start'
				: undefined;
	}
	if ((step === undefined) === (count === undefined)) {
		return step === undefined ? 'either step or count is needed' : 'of step and count only one can be given';
	}
	if (step !== undefined && (scale === 'log' || to < from)) {
		return scale === 'log' ? 'scale log needs count, not step' : 'its end is below its start';
	}
	return count === 1 && from !== to ? 'one value cannot be both ends' : undefined;
}

/** Values of a range that `rangeProblem` has nothing against. */
export function rangeAxis(range: Range): Axis {
	const { from, to, step } = range;
	// A thousandth of a step allows for 0.1 + 0.2.
	const count = step === undefined ? (range.count ?? 1) : Math.floor((to - from) / step + 1e-3) + 1;
	if (step !== undefined) {
		const digits = Math.max(decimals(from), decimals(step));
		return { count, at: (index) => written(range, Number((from + index * step).toFixed(digits))) };
	}
	return { count, at: (index) => scaled(range, count === 1 ? 0 : index / (count - 1)) };
}

/** The value at a fraction from 0 to 1 of a range. */
export function scaled(range: Range, fraction: number): string {
	const { from, to, scale } = range;
	const value =
		fraction === 0
			? from
			: fraction === 1
				? to
				: scale === 'log'
					? from * (to / from) ** fraction
					: from + (to - from) * fraction;
	return written(range, value);
}

function written({ whole }: Range, value: number): string {
	return String(whole === true ? Math.round(value) : Number(value.toPrecision(12)));
}

function decimals(value: number): number {
	const [, digits = '', exponent = '0'] = /\.?(\d*)(?:e([-+]\d+))?$/.exec(String(value).replace(/^-?\d+/, '')) ?? [];
	return Math.min(15, Math.max(0, digits.length - Number(exponent)));
}
