import { BoincError } from './errors.js';

const BYTES: Readonly<Record<string, number>> = {
	b: 1,
	k: 1e3,
	kb: 1e3,
	kib: 2 ** 10,
	m: 1e6,
	mb: 1e6,
	mib: 2 ** 20,
	g: 1e9,
	gb: 1e9,
	gib: 2 ** 30,
	t: 1e12,
	tb: 1e12,
	tib: 2 ** 40,
};

const SECONDS: Readonly<Record<string, number>> = {
	s: 1,
	sec: 1,
	second: 1,
	seconds: 1,
	m: 60,
	min: 60,
	minute: 60,
	minutes: 60,
	h: 3600,
	hour: 3600,
	hours: 3600,
	d: 86_400,
	day: 86_400,
	days: 86_400,
	w: 604_800,
	week: 604_800,
	weeks: 604_800,
};

function parse(text: string, units: Readonly<Record<string, number>>, what: string, example: string): number {
	const match = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)\s*$/i.exec(text);
	const factor = match ? units[(match[2] ?? '').toLowerCase()] : undefined;
	const value = match && factor !== undefined ? Number(match[1]) * factor : Number.NaN;
	if (!Number.isFinite(value) || value <= 0) {
		const hasNoUnit = match?.[2] === '' && Number(match[1]) > 0;
		throw new BoincError('usage', hasNoUnit ? `“${text}” has no unit.` : `“${text}” is not ${what}.`, {
			remedy: `Write it as ${example}.`,
		});
	}
	return value;
}

/** A size as people write it, in bytes: `500 MB`, `2GiB`, `1.5g`. Throws `usage`. */
export function parseBytes(text: string): number {
	// Less than a byte is a slip of the unit.
	return Math.max(1, Math.round(parse(text, BYTES, 'a size', '500 MB or 2 GiB')));
}

/** A duration as people write it, in seconds: `90 s`, `10 min`, `3h`, `2 d`. Throws `usage`. */
export function parseSeconds(text: string): number {
	return parse(text, SECONDS, 'a duration', '90 s, 10 min, 3 h or 2 d');
}
