/** The MIME type of our own interactive forms: graph and memory views. */
export const tesseraMime = "application/vnd.tessera.v1+json";

/** The name under which a page opens a comm to ask for what the stored output of a figure leaves out. */
export const detailsTarget = "tessera-figure-details";

/** The MIME type of charts: a plotly 3.x figure, `{ data, layout, config }`. */
export const plotlyMime = "application/vnd.plotly.v1+json";

/**
 * The same figure in several forms, by MIME type; a front end shows the richest it knows. Text and JSON as they are,
 * binary forms in base64, as in a notebook file.
 */
export type MimeBundle = Readonly<Record<string, unknown>>;

/** What belongs to single forms of a bundle, by their MIME type, such as the size at which a picture is to stand. */
export type MimeMetadata = Readonly<Record<string, Readonly<Record<string, number | string>>>>;
