import { block, type ElementSpec, flag, number, text } from './element.js';

const INPUT_FILE_INFO = block(
	'file_info',
	'One input file of the job; matched with the file_ref of the same number.',
	[
		text('physical_name', 'A constant file: the same for all jobs, staged already. create_work is told no file for it.', {
			trap: 'Its .md5 side file must exist and be no older than the file.',
		}),
		flag('sticky', 'The client keeps the file after the job, so that the next job need not download it.'),
		flag('no_delete', 'The server keeps the file when a job is finished.', {
			trap: 'Without it the file deleter removes a shared input with the first finished job.',
		}),
		flag('gzip', 'Clients get NAME.gz, which must lie beside the file. Ignored for constant files.'),
		text('url', 'Address of a remote file; the physical name is appended.', { repeat: true }),
		text('md5_cksum', 'MD5 of a remote file, in hex.'),
		number('nbytes', 'Size of a remote file.', { unit: 'bytes' }),
		number('gzipped_nbytes', 'Size of a remote file when gzipped.', { unit: 'bytes' }),
		flag('executable', 'The file gets the x bit.'),
		number('sticky_lifetime', 'How long a sticky file is kept.', { unit: 'seconds' }),
		number('number', 'Accepted and ignored: files are matched by order.'),
	],
	{
		repeat: true,
		open: true,
		trap: 'An empty entry is written <file_info></file_info>: the self-closing form is not recognised.',
	},
);

const INPUT_FILE_REF = block(
	'file_ref',
	'Where the file of the same number appears in the slot.',
	[
		text('open_name', 'Path in the slot folder.'),
		flag('copy_file', 'A real copy in the slot instead of a link file.', {
			trap: 'Containers and virtual machines cannot follow link files. Only the form <copy_file/> is recognised.',
		}),
		flag('optional', 'An absent file is no error.'),
		text('file_name', 'Ignored: files are matched by order.'),
		number('file_number', 'Ignored: files are matched by order.'),
	],
	{ repeat: true, open: true },
);

const WORKUNIT = block(
	'workunit',
	'The job.',
	[
		INPUT_FILE_REF,
		text('command_line', 'Arguments of the main program.', {
			trap: 'Quotes reach SQL unescaped. An error if --command_line is given too.',
		}),
		number('rsc_fpops_est', 'Estimated work.', { unit: 'floating point operations', default: '3.6e12' }),
		number('rsc_fpops_bound', 'Work after which a client ends the job.', {
			unit: 'floating point operations',
			default: '8.64e13',
			trap: 'A limit that comes to under 120 s on a host is replaced by 12 hours.',
		}),
		number('rsc_memory_bound', 'Memory that a host must have.', { unit: 'bytes', default: '5e8' }),
		number('rsc_disk_bound', 'Disk of the slot; a job that uses more is aborted (196).', { unit: 'bytes', default: '1e9' }),
		number('rsc_bandwidth_bound', 'Network speed that a host must have.', { unit: 'bytes/s' }),
		number('delay_bound', 'From sending to deadline.', { unit: 'seconds', default: '7 days' }),
		number('batch', 'Number of the batch.'),
		number('size_class', 'Size class, for apps with several.'),
		number('min_quorum', 'Results that must agree.', { default: '1' }),
		number('target_nresults', 'Copies that are sent at the start.', { default: '1' }),
		number('max_error_results', 'Failed copies that a job survives; with one more it fails.', {
			default: '1',
			trap: 'With the default the second failure is a failed job.',
		}),
		number('max_total_results', 'Most copies in all.', { default: '1', trap: 'With the default nothing is tried again.' }),
		number('max_success_results', 'Most successful copies.', { default: '1' }),
	],
	{ open: true },
);

/** Input templates, read by `tools/process_input_template.cpp`. */
export const INPUT_TEMPLATE: readonly ElementSpec[] = [
	block('input_template', 'The input template of a job. The outer element may be left out.', [INPUT_FILE_INFO, WORKUNIT]),
	INPUT_FILE_INFO,
	WORKUNIT,
];

const OUTPUT_FILE_INFO = block(
	'file_info',
	'One output file.',
	[
		text('name', 'Name of the file on the server: normally <OUTFILE_0/>, with a suffix if wanted.'),
		number('max_nbytes', 'Largest size that a client uploads.', {
			unit: 'bytes',
			trap: 'Missing or 0: every output is too big (-131).',
		}),
		text('url', 'Where it is uploaded: <UPLOAD_URL/>.'),
		flag('gzip_when_done', 'The client compresses before the upload; the name stays.'),
		flag('sticky', 'The client keeps the file.'),
		flag('no_delete', 'The server keeps the file.'),
		flag('generated_locally', 'Legacy; harmless.'),
		flag('upload_when_present', 'Legacy; harmless.'),
		block('url_list', 'Legacy.', [], { open: true }),
	],
	{ repeat: true, open: true },
);

const RESULT = block(
	'result',
	'One copy of the job.',
	[
		block(
			'file_ref',
			'Where an output file lies in the slot.',
			[
				text('file_name', 'The same text as the name of its file_info.'),
				text('open_name', 'Path in the slot folder.', {
					trap: 'batch_collect_assimilator cannot move a file whose open name has a slash: the output is lost.',
				}),
				flag('copy_file', 'The file is moved out of the slot at the end; needed for containers and virtual machines.'),
				flag('optional', 'An absent file is no error.'),
				flag('no_validate', 'The bitwise validator ignores it.'),
			],
			{ repeat: true, open: true },
		),
		flag('report_immediately', 'The client reports the finished job at once; otherwise within an hour or so.'),
	],
	{ open: true, trap: 'The scheduler looks for <result> followed by a line feed.' },
);

/** Output templates, read by `tools/process_result_template.cpp`. */
export const OUTPUT_TEMPLATE: readonly ElementSpec[] = [
	block('output_template', 'The output template of a job. The outer element may be left out.', [OUTPUT_FILE_INFO, RESULT], {
		trap: 'BOINC strips it only if it is the very first text of the file.',
	}),
	OUTPUT_FILE_INFO,
	RESULT,
];
