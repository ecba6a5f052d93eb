import { BoincError } from '../common/errors.js';

/** One file of a job as the templates name it. */
export interface TemplateFile {
	/** Path in the slot folder. */
	readonly openName: string;
	/** Given: the same staged file for all jobs. Absent: `create_work` is told a file for each job. */
	readonly physicalName?: string;
	/** Whether clients keep it after the job: see `KEPT_SECONDS`. */
	readonly sticky: boolean;
}

/**
 * So long clients keep a file after the last job with it that they were sent; each job begins this anew. Without it they keep packs until
 * their whole disk share is used up, and name all of them in each request to the scheduler.
 */
const KEPT_SECONDS = 30 * 86_400;
const STICKY = `<sticky/>\n<sticky_lifetime>${KEPT_SECONDS}</sticky_lifetime>\n`;

/** BOINC's limits: a template is 64 KiB, the XML of a job 65,535 bytes, a line for `create_work` 100 words. */
const MAX_TEMPLATE_BYTES = 65_535;
/** What a file adds to the XML of a job besides its names: address, hash and size. */
const XML_OVERHEAD = 200;
/** Of names that are not known yet. */
const NAME_BYTES = 80;
/** Most files of one job. */
export const MAX_FILES = 100;

/** No quotes or backslashes, which reach SQL unescaped; no markup; nothing that leaves the slot. */
const SAFE_NAME = /^(?!.*\.\.)[A-Za-z0-9_.][A-Za-z0-9_./@+=,-]*$/;

/**
 * The input template. Each file is copied into the slot, for a container cannot follow BOINC's link files, and
 * stays on the server when a job ends, for other jobs may use it. Throws `job-invalid` beyond BOINC's limits.
 */
export function inputTemplate(files: readonly TemplateFile[], downloadUrl: string): string {
	if (files.length > MAX_FILES) {
		throw new BoincError('job-invalid', `The job has ${files.length} files, and BOINC takes at most ${MAX_FILES}.`, {
			remedy: 'Put several inputs into one archive.',
			detail: { files: files.length },
		});
	}
	const infos = files.map(
		({ physicalName, sticky }) =>
			`<file_info>\n${physicalName === undefined ? '' : `<physical_name>${checked(physicalName)}</physical_name>\n`}${sticky ? STICKY : ''}<no_delete/>\n</file_info>\n`,
	);
	const refs = files.map(
		({ openName }) => `<file_ref>\n<open_name>${checked(openName)}</open_name>\n<copy_file/>\n</file_ref>\n`,
	);
	const text = `<input_template>\n${infos.join('')}<workunit>\n${refs.join('')}</workunit>\n</input_template>\n`;
	const names = files.reduce((sum, { physicalName }) => sum + 2 * (physicalName?.length ?? NAME_BYTES), 0);
	const inJob = text.length + names + files.length * (XML_OVERHEAD + downloadUrl.length);
	if (Math.max(text.length, inJob) > MAX_TEMPLATE_BYTES) {
		throw new BoincError(
			'job-invalid',
			`The description of the job’s ${files.length} files would have ${inJob} bytes, and BOINC keeps ${MAX_TEMPLATE_BYTES}.`,
			{ remedy: 'Use fewer inputs, or put several into one archive.', detail: { bytes: inJob } },
		);
	}
	return text;
}

/** The one output of a job: everything in `/root/shared/results/`. */
export const OUTPUT_NAME = 'shared/results.tgz';

/**
 * The output template. The scheduler looks for `<result>` followed by a line feed; BOINC strips `<output_template>` only if it comes
 * first.
 */
export function outputTemplate(maxBytes: number): string {
	return `<output_template>
<file_info>
<name><OUTFILE_0/></name>
<max_nbytes>${String(Math.round(maxBytes))}</max_nbytes>
<url><UPLOAD_URL/></url>
</file_info>
<result>
<file_ref>
<file_name><OUTFILE_0/></file_name>
<open_name>${OUTPUT_NAME}</open_name>
<copy_file/>
</file_ref>
<report_immediately/>
</result>
</output_template>
`;
}

/** Whether BOINC can carry `name` through templates, SQL, XML and clients as it is. */
export function isSafeName(name: string): boolean {
	return SAFE_NAME.test(name) && name.length <= 200;
}

function checked(name: string): string {
	if (!isSafeName(name)) {
		throw new BoincError('job-invalid', `BOINC cannot carry a file named ${JSON.stringify(name)}.`, {
			remedy: 'Use letters, digits, dots, dashes and underscores.',
		});
	}
	return name;
}
