/** A scheduler request as a client sends it; `body` and `host` are XML added to the request and to `host_info`. */
export function schedulerRequest(
	options: {
		readonly authenticator?: string;
		readonly hostId?: number;
		readonly seqno?: number;
		readonly workSeconds?: number;
		readonly instances?: number;
		readonly host?: string;
		readonly body?: string;
		readonly codeSignKey?: string;
	} = {},
): string {
	return `<scheduler_request>
    <authenticator>${options.authenticator ?? 'abc'}</authenticator>
    <hostid>${options.hostId ?? 0}</hostid>
    <rpc_seqno>${options.seqno ?? 0}</rpc_seqno>
    <core_client_major_version>7</core_client_major_version>
    <core_client_minor_version>20</core_client_minor_version>
    <core_client_release>5</core_client_release>
    <platform_name>x86_64-pc-linux-gnu</platform_name>
    <work_req_seconds>${options.workSeconds ?? 0}</work_req_seconds>
    <cpu_req_secs>${options.workSeconds ?? 0}</cpu_req_secs>
    <cpu_req_instances>${options.instances ?? 0}</cpu_req_instances>
    <code_sign_key>
${options.codeSignKey ?? ''}
    </code_sign_key>
    <host_info>
        <domain_name>test</domain_name>
        <host_cpid>cpid1</host_cpid>
        <p_ncpus>2</p_ncpus>
        <p_fpops>1000000000</p_fpops>
        ${options.host?.includes('<p_features>') === true ? '' : '<p_features>fpu sse2 pni avx</p_features>'}
        <m_nbytes>8000000000</m_nbytes>
        <d_free>50000000000</d_free>
        <os_name>Linux Debian</os_name>
        ${options.host ?? ''}
    </host_info>
    <disk_usage>
        <d_boinc_used_project>0</d_boinc_used_project>
        <d_project_share>20000000000</d_project_share>
    </disk_usage>
    ${options.body ?? ''}
</scheduler_request>
`;
}

/** What a client with one GPU of NVIDIA reports, in BOINC's own names; it asks for `reqSeconds` of work for it. */
export function nvidia(change: Readonly<Record<string, number>> = {}, reqSeconds = 0): string {
	const values = {
		...{ count: 1, have_cuda: 1, have_opencl: 1, peak_flops: 1e13, cudaVersion: 12_040, drvVersion: 55_000 },
		...{ totalGlobalMem: 8_300_000_000, major: 8, minor: 6, req_secs: reqSeconds, req_instances: reqSeconds > 0 ? 1 : 0 },
		...change,
	};
	const elements = Object.entries(values).map(([name, value]) => `<${name}>${value}</${name}>`);
	return `<coprocs>\n<coproc_cuda>\n<name>GeForce RTX 3070</name>\n${elements.join('\n')}\n</coproc_cuda>\n</coprocs>`;
}
