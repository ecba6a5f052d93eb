/** One instruction of a Dockerfile, as it matters for images that run on volunteers’ computers. */
export interface InstructionDoc {
	readonly name: string;
	readonly doc: string;
	/** What is different on a volunteer’s computer. */
	readonly trap?: string;
	/** What is put in; `$1` is where the cursor goes. */
	readonly snippet: string;
}

/** The instructions, in the order in which they usually stand. */
export const INSTRUCTIONS: readonly InstructionDoc[] = [
	{
		name: 'FROM',
		doc: 'The image to start from, and the name of a stage.',
		trap: 'Name a version, not latest: a later batch should compute the same. Only the last stage’s files travel; every host downloads all of them.',
		snippet: 'FROM ${1:debian:12-slim}',
	},
	{
		name: 'RUN',
		doc: 'Runs a command while the image is built, on this computer.',
		trap: 'Here the network is there; in a job it is not. What a RUN leaves behind, such as caches of package managers, is downloaded by every host.',
		snippet: 'RUN $1',
	},
	{
		name: 'COPY',
		doc: 'Copies files of the build’s folder, or of another stage, into the image.',
		trap: 'Nothing below /root/shared or /boinc: the job’s own folders hide it there. Everything in an image can be read by every volunteer.',
		snippet: 'COPY $1 ${2:/app/}',
	},
	{
		name: 'ADD',
		doc: 'As COPY; unpacks archives and fetches addresses.',
		trap: 'A file from the web may be another one tomorrow.',
		snippet: 'ADD $1 ${2:/app/}',
	},
	{
		name: 'ENV',
		doc: 'A variable for the build and the program.',
		trap: 'No secrets. Names that begin with B2D_ or BOINC_ are set by the runner.',
		snippet: 'ENV ${1:NAME}=$2',
	},
	{
		name: 'ARG',
		doc: 'A variable of the build alone; build_args of the job file gives its value.',
		trap: 'Its value can be read in the image’s history: no secrets.',
		snippet: 'ARG ${1:NAME}=$2',
	},
	{
		name: 'WORKDIR',
		doc: 'The folder in which later instructions and the program run.',
		trap: 'Not /root/shared or /boinc, which are the job’s.',
		snippet: 'WORKDIR ${1:/app}',
	},
	{
		name: 'USER',
		doc: 'The account of the program.',
		trap: 'The runner begins as root of the container and becomes this user; a number needs no entry in /etc/passwd.',
		snippet: 'USER ${1:1000}',
	},
	{
		name: 'ENTRYPOINT',
		doc: 'The program of the image; the job’s command becomes its arguments.',
		trap: 'Write a JSON list: the shell form drops the job’s command.',
		snippet: 'ENTRYPOINT ["$1"]',
	},
	{
		name: 'CMD',
		doc: 'What is run, or arguments for ENTRYPOINT, unless the job has a command of its own.',
		trap: 'Results belong into /root/shared/results/; nothing else comes back.',
		snippet: 'CMD ["$1"]',
	},
	{
		name: 'SHELL',
		doc: 'The shell for the shell form of instructions.',
		snippet: 'SHELL ["${1:/bin/bash}", "${2:-c}"]',
	},
	{ name: 'LABEL', doc: 'Facts about the image, for people and tools.', snippet: 'LABEL ${1:name}=$2' },
	{
		name: 'EXPOSE',
		doc: 'Names a port.',
		trap: 'No port of a job can be reached on a volunteer’s computer.',
		snippet: 'EXPOSE $1',
	},
	{
		name: 'VOLUME',
		doc: 'Names a folder that outlives the container.',
		trap: 'Nothing outlives a job but its results.',
		snippet: 'VOLUME $1',
	},
	{
		name: 'HEALTHCHECK',
		doc: 'A command that tells whether the container works.',
		trap: 'Nobody looks at it on volunteers’ computers.',
		snippet: 'HEALTHCHECK CMD $1',
	},
	{
		name: 'STOPSIGNAL',
		doc: 'The signal that stops the container.',
		trap: 'Jobs are paused and killed; keep checkpoints in /root/shared.',
		snippet: 'STOPSIGNAL $1',
	},
	{
		name: 'ONBUILD',
		doc: 'An instruction for images that start from this one.',
		trap: 'It has no effect in a job.',
		snippet: 'ONBUILD $1',
	},
];

/** Variables that a job’s program has, for completion and hover. */
export const JOB_VARIABLES: Readonly<Record<string, string>> = {
	B2D_INDEX: 'Number of the job in its batch, from 0.',
	B2D_COUNT: 'Number of jobs of the batch.',
	B2D_REPETITION: 'Number of the repetition of a sweep’s row, from 0.',
	B2D_NAME: 'The job’s name by the sweep’s name template.',
};

/** Folders by which a job and the outside meet. */
export const CONTRACT: Readonly<Record<string, string>> = {
	'/root/shared/': 'The job’s folder: its inputs are here. The image cannot put anything there.',
	'/root/shared/results/': 'All that is written here is packed and comes back.',
	'/root/shared/fraction_done': 'The program may write its progress here, a number from 0 to 1.',
};
