/** The part of jsfive that is used; the package has no types of its own. */
declare module "jsfive" {
  export class Group {
    readonly keys: readonly string[];
    /** A group or a data set; throws where there is none. */
    get(path: string): Group | Dataset;
  }
  export class Dataset {
    readonly shape: readonly number[];
    readonly dtype: unknown;
    readonly value: ArrayLike<number>;
  }
  export class File extends Group {
    constructor(bytes: ArrayBuffer, name?: string);
  }
}
