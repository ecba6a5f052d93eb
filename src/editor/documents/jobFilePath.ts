/** Path of the read-only document with the job file of a batch. */
export const jobFilePath = (serverId: string, batchId: number): string => `/jobfile/${serverId}/${batchId}/boinc2docker.yml`;
