/**
 * Cuts a byte stream into lines. A carriage return ends a line too: progress bars draw with it. Empty lines are left out. A line
 * with more than `most` characters comes in pieces, so that memory does not depend on what a program prints.
 */
export async function* textLines(stream: AsyncIterable<Uint8Array>, most = Infinity): AsyncGenerator<string, void, undefined> {
	const decoder = new TextDecoder();
	let rest = '';
	for await (const chunk of stream) {
		const parts = (rest + decoder.decode(chunk, { stream: true })).split(/[\r\n]+/);
		rest = parts.pop() ?? '';
		yield* parts.filter((line) => line !== '');
		for (; rest.length > most; rest = rest.slice(most)) {
			yield rest.slice(0, most);
		}
	}
	rest += decoder.decode();
	if (rest !== '') {
		yield rest;
	}
}
