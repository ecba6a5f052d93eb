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
