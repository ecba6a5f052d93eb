const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** A size for people, in units of 1000: `0 B`, `15.6 MB`. */
export function formatBytes(bytes: number): string {
	let value = Math.abs(bytes);
	let unit = 0;
	while (value >= 999.5 && unit < UNITS.length - 1) {
		value /= 1000;
		unit += 1;
	}
	const text = unit === 0 ? String(Math.round(value)) : value.toPrecision(3);
	return `${bytes < 0 ? '-' : ''}${text} ${UNITS[unit] ?? ''}`;
}

/** A duration for people: `42 s`, `3 min 10 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatSeconds(seconds: number): string {
	const s = Math.max(0, Math.round(seconds));
	const parts: readonly [number, string][] = [
		[Math.floor(s / 86_400), 'd'],
		[Math.floor(s / 3600) % 24, 'h'],
		[Math.floor(s / 60) % 60, 'min'],
		[s % 60, 's'],
	];
	const first = parts.findIndex(([n]) => n > 0);
	return first < 0
		? '0 s'
		: parts
				.slice(first, first + 2)
				.filter(([n]) => n > 0)
				.map(([n, unit]) => `${n} ${unit}`)
				.join(' ');
}

/** `1 job`, `3 jobs`. */
export function plural(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
