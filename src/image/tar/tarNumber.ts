/**
 * A number in a header field: octal digits, or base 256 (GNU) when the top bit of the first byte is set.
 * `undefined` when it is neither, or beyond what a number holds exactly.
 */
export function readTarNumber(field: Buffer): number | undefined {
	const first = field[0] ?? 0;
	return first & 0x80 ? readBase256(field) : readOctal(field);
}

function readOctal(field: Buffer): number | undefined {
	const text = field
		.toString('latin1')
		.replace(/^[ \0]+/, '')
		.replace(/[ \0].*$/s, '');
	if (text === '') {
		return 0;
	}
	return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

function readBase256(field: Buffer): number | undefined {
	// Two's complement without the marker bit; the second bit is the sign.
	const negative = ((field[0] ?? 0) & 0x40) !== 0;
	let value = BigInt((field[0] ?? 0) & 0x7f);
	for (const byte of field.subarray(1)) {
		value = value * 256n + BigInt(byte);
	}
	if (negative) {
		value -= 1n << BigInt(field.length * 8 - 1);
	}
	const result = Number(value);
	return Number.isSafeInteger(result) ? result : undefined;
}

/** Writes `value` into the field of `width` bytes at `at`: octal with a closing NUL where it fits, else base 256. */
export function writeTarNumber(value: number, header: Buffer, at: number, width: number): void {
	const digits = width - 1;
	if (value >= 0 && value < 8 ** digits) {
		header.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
		return;
	}
	let rest = BigInt.asUintN(width * 8, BigInt(value));
	for (let index = width - 1; index >= 0; index--) {
		header[at + index] = Number(rest & 0xffn);
		rest >>= 8n;
	}
	header[at] = ((header[at] ?? 0) | 0x80) & 0xff;
}
