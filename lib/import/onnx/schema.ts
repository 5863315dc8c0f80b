import { type Message, many, one } from "./protobuf.ts";

// The messages of ONNX files, as far as we read or write them. Numbers and meanings are those of the published schema:
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (Apache-2.0). Graphs within attributes are noticed, not read: no
// operator that has them can be imported, and so nothing nests deeper than these messages do.

const entryFields = { key: one(1, "text"), value: one(2, "text") } as const;

export const tensorFields = {
  dims: many(1, "whole"),
  dataType: one(2, "whole"),
  floatData: many(4, "float"),
  int32Data: many(5, "whole"),
  int64Data: many(7, "whole"),
  name: one(8, "text"),
  rawData: one(9, "bytes"),
  doubleData: many(10, "double"),
  uint64Data: many(11, "whole"),
  externalData: many(13, () => entryFields),
  dataLocation: one(14, "whole"),
} as const;

const attributeFields = {
  name: one(1, "text"),
  float: one(2, "float"),
  whole: one(3, "whole"),
  text: one(4, "bytes"),
  tensor: one(5, () => tensorFields),
  graph: one(6, "bytes"),
  floats: many(7, "float"),
  wholes: many(8, "whole"),
  texts: many(9, "bytes"),
  type: one(20, "whole"),
} as const;

const nodeFields = {
  inputs: many(1, "text"),
  outputs: many(2, "text"),
  name: one(3, "text"),
  operator: one(4, "text"),
  attributes: many(5, () => attributeFields),
  domain: one(7, "text"),
  metadata: many(9, () => entryFields),
} as const;

const dimensionFields = { value: one(1, "whole"), parameter: one(2, "text") } as const;
const shapeFields = { dimensions: many(1, () => dimensionFields) } as const;
const tensorTypeFields = { elementType: one(1, "whole"), shape: one(2, () => shapeFields) } as const;
const typeFields = { tensor: one(1, () => tensorTypeFields) } as const;
const valueFields = { name: one(1, "text"), type: one(2, () => typeFields) } as const;

const graphFields = {
  nodes: many(1, () => nodeFields),
  name: one(2, "text"),
  initializers: many(5, () => tensorFields),
  inputs: many(11, () => valueFields),
  outputs: many(12, () => valueFields),
} as const;

const operatorSetFields = { domain: one(1, "text"), version: one(2, "whole") } as const;

/** ModelProto: the whole file. */
export const modelFields = {
  irVersion: one(1, "whole"),
  producer: one(2, "text"),
  producerVersion: one(3, "text"),
  graph: one(7, () => graphFields),
  operatorSets: many(8, () => operatorSetFields),
} as const;

export type ModelMessage = Message<typeof modelFields>;
export type NodeMessage = Message<typeof nodeFields>;
export type AttributeMessage = Message<typeof attributeFields>;
export type TensorMessage = Message<typeof tensorFields>;
export type ValueMessage = Message<typeof valueFields>;

/** AttributeProto.AttributeType, those that are written. */
export const attributeTypes = { float: 1, whole: 2, text: 3, floats: 6, wholes: 7 } as const;
