/** Where numbers lie: the storage of a value of the graph, or scratch memory that lives during one kernel. */
export type Buffer =
  | { readonly kind: "value"; readonly id: number; readonly dtype: "float32" | "int32" }
  | { readonly kind: "scratch"; readonly index: number; readonly dtype: "float32" | "int32" };
