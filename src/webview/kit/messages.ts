import * as v from 'valibot';

interface VsCodeApi {
	postMessage(message: unknown): void;
	setState(state: unknown): void;
	getState(): unknown;
}
declare function acquireVsCodeApi(): VsCodeApi;

/** The page's side of a protocol: sends intents, and hands on what arrives and is well-formed. */
export class Messages<Out, In extends v.GenericSchema> {
	readonly #api = acquireVsCodeApi();

	/** What does not fit the protocol is logged to the console and otherwise ignored. */
	constructor(incoming: In, receive: (message: v.InferOutput<In>) => void) {
		window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
			const parsed = v.safeParse(incoming, data);
			if (parsed.success) {
				receive(parsed.output);
			} else {
				console.warn('a message that is not understood', v.flatten(parsed.issues)); // eslint-disable-line no-console
			}
		});
	}

	send(message: Out): void {
		this.#api.postMessage(message);
	}

	/** Kept while the page is hidden or moved, and given back after a reload of the window. */
	get state(): unknown {
		return this.#api.getState();
	}

	set state(value: unknown) {
		this.#api.setState(value);
	}
}
