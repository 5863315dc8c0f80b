import type { NodeMessage } from "./schema.ts";

/**
 * The path of the layer in which each node's operations stand. What torch knows of modules goes first: its scopes, which
 * newer exporters write beside a node (`pkg.torch.onnx.name_scopes`) and older ones into its name
 * (`/layer1/layer1.0/conv1/Conv`), so that all nodes of a module share its layer: `layer1/0/conv1`. Otherwise a node
 * stands under its own name, or else under its operator and its number: `Relu2`.
 */
export function layerNames(nodes: readonly NodeMessage[]): readonly string[] {
  const counts = new Map<string, number>();
  return nodes.map((node) => {
    const operator = node.operator ?? "node";
    const scopes = node.metadata.find(({ key }) => key === "pkg.torch.onnx.name_scopes")?.value;
    const path = (scopes === undefined ? null : fromScopes(scopes)) ?? fromName(node.name ?? "", operator);
    if (path !== "") return path;
    const number = (counts.get(operator) ?? 0) + 1;
    counts.set(operator, number);
    return `${operator}${number}`;
  });
}

/** `['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d']`: the last is the node, the one before it its module. */
function fromScopes(scopes: string): string | null {
  const names = [...scopes.matchAll(/'([^']*)'|"([^"]*)"/g)].map(([, single, double]) => single ?? double);
  const module = names.at(-2) ?? "";
  return module === "" ? null : module.split(".").filter(Boolean).map(plain).join("/");
}

function fromName(name: string, operator: string): string {
  const segments = name.split("/").filter((segment) => segment !== "");
  const own = new RegExp(`^${operator.replace(/\W/g, "")}(_\\d+)?$`);
  if (segments.length > 1 && own.test(segments[segments.length - 1])) segments.pop();
  return segments
    .map((segment, index) => {
      const parent = index > 0 ? `${segments[index - 1]}.` : "";
      return plain(parent !== "" && segment.startsWith(parent) ? segment.slice(parent.length) : segment);
    })
    .join("/");
}

/** Names of layers contain no dot: behind one stands the name of a parameter. */
const plain = (name: string): string => name.replaceAll(".", "_");
