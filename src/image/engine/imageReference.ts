/** A name of an image in its parts. */
export interface ImageReference {
	/** `registry.example.org:5000`; `docker.io` where none is named, as engines understand it. */
	readonly registry: string;
	/** `team/program`. */
	readonly repository: string;
	/** `latest` where none is named. */
	readonly tag: string;
}

const PART = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const HOST =
	/^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const MOST = 255;

/** Takes a name apart by Docker's rules; `undefined` for what no image can be called. Digests are no names to give. */
export function parseImageReference(text: string): ImageReference | undefined {
	const [first = '', ...others] = text.split('/');
	const isHost = others.length > 0 && (/[.:]/.test(first) || first === 'localhost');
	const rest = isHost ? others.join('/') : text;
	const colon = rest.lastIndexOf(':');
	const repository = colon < 0 ? rest : rest.slice(0, colon);
	const tag = colon < 0 ? 'latest' : rest.slice(colon + 1);
	const good =
		repository.length <= MOST &&
		repository.split('/').every((part) => PART.test(part)) &&
		TAG.test(tag) &&
		(!isHost || HOST.test(first));
	return good ? { registry: isHost ? first : 'docker.io', repository, tag } : undefined;
}

/** A name for an image from any words: `My Analysis (2)` → `my-analysis-2`. */
export function imageNameFrom(...words: readonly string[]): string {
	const name = words
		.map((word) =>
			word
				.normalize('NFKD')
				.toLowerCase()
				.replace(/[^a-z0-9]+/g, '-')
				.replace(/^-+|-+$/g, ''),
		)
		.filter((word) => word !== '')
		.join('-')
		.slice(0, 100)
		.replace(/-+$/, '');
	return name === '' ? 'image' : name;
}

/** Whether two names mean the same image: Podman writes `localhost/` in front of local names, and `latest` may be left out. */
export function isSameName(a: string, b: string): boolean {
	return plain(a) === plain(b);
}

function plain(name: string): string {
	const short = name.replace(/^(localhost|docker\.io)\//, '').replace(/^library\//, '');
	return /:[^/]*$/.test(short) ? short : `${short}:latest`;
}
