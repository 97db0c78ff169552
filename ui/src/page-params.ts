/** What a page is given. */
export interface PageParams {
    /** The name or the id that the page is about; empty for one that is about all. */
    name: string
    query: URLSearchParams
}
