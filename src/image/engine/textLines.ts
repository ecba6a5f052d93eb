/** Cuts a byte stream into lines. A carriage return ends a line too: progress bars draw with it. Empty lines are left out. */
export async function* textLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
	const decoder = new TextDecoder();
	let rest = '';
	for await (const chunk of stream) {
		const parts = (rest + decoder.decode(chunk, { stream: true })).split(/[\r\n]+/);
		rest = parts.pop() ?? '';
		yield* parts.filter((line) => line !== '');
	}
	rest += decoder.decode();
	if (rest !== '') {
		yield rest;
	}
}
