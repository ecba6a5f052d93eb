import { BoincError } from '../common/errors.js';
import { escapeXml } from '../project/xmlEdit.js';
import { parseWithPositions, type PositionedElement } from '../project/xmlPositions.js';

/** Elements of `vbox_job.xml` that a job may add: none of them touches how job and wrapper talk to each other. */
const ALLOWED = [
	'vram_size_mb',
	'vm_disk_controller_type',
	'vm_disk_controller_model',
	'vm_network_driver',
	'network_bridged_mode',
	'enable_nat_dns_host_resolver',
	'pf_guest_port',
	'pf_host_port',
	'port_forward',
	'trickle_trigger_file',
	'intermediate_upload_file',
	'enable_remotedesktop',
	'enable_screenshots_on_error',
	'enable_graphics_support',
	'enable_cern_dataformat',
	'copy_cmdline_to_shared',
];

/** Why the others are refused, where more can be said than that they are not known. */
const REFUSED: Readonly<Record<string, string>> = {
	memory_size_mb: 'the virtual machine has what the job’s memory limit asks for',
	enable_network: 'the job’s network policy says it',
	os_name: 'the virtual machine is always the same one',
	boot_iso: 'the virtual machine boots our ISO',
	enable_isocontextualization: 'the virtual machine boots our ISO',
	enable_cache_disk: 'the virtual machine has our disk',
	multiattach_vdi_file: 'the virtual machine has our disk',
	job_duration: 'it would make a success of a program that is stopped; the job’s time limit does not',
	disable_automatic_checkpoints: 'snapshots lose the files that are open on the share, so there are none',
	minimum_checkpoint_interval: 'snapshots lose the files that are open on the share, so there are none',
	enable_vm_savestate_usage: 'saved states lose the files that are open on the share',
	share_slot_dir: 'the job’s folder is shared already',
	enable_shared_directory: 'the job’s folder is shared already, and BOINC takes only one of both',
	copy_to_shared: 'the job’s folder is shared already, and BOINC takes only one of both',
	enable_scratch_directory: 'it would let the program write to files of other jobs',
	share_project_dir: 'it would let the program write to files of other jobs',
	enable_floppyio: 'it would show the volunteer’s account key to the program',
	completion_trigger_file: 'the virtual machine tells its end by a file of ours',
	temporary_exit_trigger_file: 'the virtual machine tells its end by a file of ours',
	heartbeat_filename: 'the virtual machine shows that it lives by a file of ours',
	minimum_heartbeat_interval: 'the virtual machine shows that it lives by a file of ours',
	fraction_done_filename: 'the job’s progress file says it',
};

/**
 * Elements that a person adds to `vbox_job.xml`, read and written anew, one in a line. Throws `job-invalid` for what is no
 * XML, is not known to vboxwrapper, or would break what the job relies on.
 */
export function vboxElements(xml: string): string {
	let root: PositionedElement;
	const whole = `<vbox_job>${xml}</vbox_job>`;
	try {
		root = parseWithPositions(whole, 'what is added to vbox_job.xml');
	} catch (cause) {
		throw new BoincError('job-invalid', cause instanceof Error ? cause.message : 'What is added to vbox_job.xml is no XML.', {
			remedy: 'Give elements such as <vram_size_mb>32</vram_size_mb>.',
			cause,
		});
	}
	if (root.end !== whole.length) {
		throw refused('What is added to vbox_job.xml must not end the element that it is put into.');
	}
	if (root.text !== '') {
		throw refused(`“${root.text.slice(0, 60)}” is added to vbox_job.xml, and it is no element.`);
	}
	return root.children
		.map((child) => {
			if (!ALLOWED.includes(child.name)) {
				const why = Object.hasOwn(REFUSED, child.name) ? REFUSED[child.name] : 'vboxwrapper does not know it';
				throw refused(`<${child.name}> cannot be added to vbox_job.xml: ${why ?? ''}.`);
			}
			return `${render(child, whole)}\n`;
		})
		.join('');
}

function render(element: PositionedElement, source: string): string {
	const { name, text, children } = element;
	if (!/^<[\w]+\s*\/?>$/.test(source.slice(element.start, element.contentStart))) {
		throw refused(`<${name}> has attributes in what is added to vbox_job.xml, which vboxwrapper does not read.`);
	}
	const inner = children.length > 0 ? children.map((child) => render(child, source)).join('') : escapeXml(text);
	return inner === '' ? `<${name}/>` : `<${name}>${inner}</${name}>`;
}

function refused(message: string): BoincError {
	return new BoincError('job-invalid', message, { remedy: `Leave it out. What can be added: ${ALLOWED.join(', ')}.` });
}
