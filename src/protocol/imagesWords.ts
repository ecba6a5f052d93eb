/** Words that the Images page needs besides those in its data; the extension sends them in the user's language. */
export const IMAGES_WORDS = {
	loading: 'Looking for Dockerfiles…',
	empty: 'No Dockerfile here',
	emptyHint: 'Open a folder with a Dockerfile, a Containerfile or a compose file, or drop one here.',
	add: 'Add Dockerfile…',
	options: 'Options',
	target: 'Stage',
	platform: 'Platform',
	tag: 'Name',
	args: 'Build arguments',
	context: 'Build context',
	steps: 'Steps of the build',
	images: 'Local images',
	noImages: 'None yet: build it.',
	cost: 'What it costs',
	server: 'Server',
	push: 'Push',
	next: 'Then',
	layer: 'Layer',
	drop: 'Drop to add',
	refresh: 'Refresh',
	openFile: 'Open the file',
} as const;

export type ImagesWord = keyof typeof IMAGES_WORDS;
export type ImagesWords = Readonly<Record<ImagesWord, string>>;
