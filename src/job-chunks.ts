/** How many jobs, and how many characters of payload, travel in one statement. */
export const MAX_JOBS = 5_000
export const MAX_PAYLOAD_LENGTH = 16 * 1024 * 1024

/** Jobs in as few lists as statements may carry. */
export function chunksOf<Job extends { readonly payload: string }>(jobs: readonly Job[]): Job[][] {
    const chunks: Job[][] = []
    let chunk: Job[] = []
    let length = 0
    for (const job of jobs) {
        length += job.payload.length
        if (chunk.length === MAX_JOBS || (length > MAX_PAYLOAD_LENGTH && chunk.length > 0)) {
            chunks.push(chunk)
            chunk = []
            length = job.payload.length
        }
        chunk.push(job)
    }
    chunks.push(chunk)
    return chunks
}
