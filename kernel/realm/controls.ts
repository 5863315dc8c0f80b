import type { JsonObject } from "../protocol/index.ts";
import { type Comm, comms } from "./comms.ts";
import { type DrawnBundle, displayMethod } from "./render.ts";

// Controls speak the protocol of ipywidgets (its messages 2.1), so that front ends that know Python's widgets know these.
// The names of models and their properties are those of @jupyter-widgets/controls 2.0.
const modules = { base: "@jupyter-widgets/base", controls: "@jupyter-widgets/controls" };
const modelsVersion = "2.0.0";
const protocolVersion = "2.1.0";

/** A control under a cell, which both the reader and the code may move, while a cell awaits or between two cells. */
export interface Control<Value> {
  /** Where it stands. Set, it moves in front of the reader's eyes. */
  value: Value;
  /** Called with every value that the reader chooses. */
  onChange: ((value: Value) => void) | null;
  /** Takes it away from all front ends; its value stays. */
  close(): void;
  [displayMethod](): DrawnBundle;
}

/** A button, which has no value but is pressed. */
export interface Button {
  onPress: (() => void) | null;
  close(): void;
  [displayMethod](): DrawnBundle;
}

/** What a front end says to one of its models. */
interface ModelMessage extends JsonObject {
  readonly method: "update" | "request_state" | "custom";
  readonly state?: JsonObject;
  readonly content?: JsonObject;
}

/** One model of ipywidgets: properties that both ends keep the same. */
class Model {
  readonly #comm: Comm<JsonObject, ModelMessage>;
  readonly #state: Record<string, JsonObject[string]>;
  onUpdate: (state: JsonObject) => void = () => {};
  onCustom: (content: JsonObject) => void = () => {};

  constructor(module: keyof typeof modules, name: string, properties: JsonObject) {
    const state = {
      _model_module: modules[module],
      _model_module_version: modelsVersion,
      _model_name: `${name}Model`,
      ...(module === "controls" && {
        _view_module: modules[module],
        _view_module_version: modelsVersion,
        _view_name: `${name}View`,
      }),
      ...properties,
    };
    this.#state = state;
    const metadata = { version: protocolVersion };
    this.#comm = comms.open("jupyter.widget", { state, buffer_paths: [] }, { metadata });
    this.#comm.onMessage = ({ data: { method, state: changed = {}, content = {} } }) => {
      if (method === "request_state") this.#send(this.#state);
      else if (method === "custom") this.onCustom(content);
      else {
        Object.assign(this.#state, changed);
        this.onUpdate(changed);
      }
    };
  }

  get id(): string {
    return this.#comm.id;
  }

  set(properties: JsonObject): void {
    Object.assign(this.#state, properties);
    this.#send(properties);
  }

  close(): void {
    this.#comm.close();
  }

  #send(state: JsonObject): void {
    this.#comm.send({ method: "update", state, buffer_paths: [] });
  }
}

/** A model with what every view needs beside it. */
function openModel(name: string, style: string, label: string, properties: JsonObject): Model {
  const layout = new Model("base", "Layout", {});
  const styling = new Model("controls", style, { _view_name: "StyleView", _view_module: modules.base });
  const references = { layout: `IPY_MODEL_${layout.id}`, style: `IPY_MODEL_${styling.id}` };
  return new Model("controls", name, { description: label, ...references, ...properties });
}

function view({ id }: Model, text: string): DrawnBundle {
  const reference = { version_major: 2, version_minor: 0, model_id: id };
  return { "application/vnd.jupyter.widget-view+json": reference, "text/plain": text };
}

/**
 * @param property the property of the model that holds the value, as `encode` writes it and `decode` reads it
 */
function control<Value, Encoded extends JsonObject[string]>(
  model: Model,
  label: string,
  initial: Value,
  property: string,
  encode: (value: Value) => Encoded,
  decode: (encoded: Encoded) => Value,
): Control<Value> {
  let current = initial;
  const made: Control<Value> = {
    get value() {
      return current;
    },
    set value(value) {
      current = value;
      model.set({ [property]: encode(value) });
    },
    onChange: null,
    close: () => model.close(),
    [displayMethod]: () => view(model, `${label}: ${current}`),
  };
  model.onUpdate = (changed) => {
    if (!(property in changed)) return;
    current = decode(changed[property] as Encoded);
    made.onChange?.(current);
  };
  return made;
}

const same = <Value>(value: Value): Value => value;

/**
 * Sliders, boxes, choices and buttons, for front ends that show Python's widgets: JupyterLab and Notebook with the package
 * `jupyterlab_widgets`, VS Code. A control is shown as a cell's last expression, or by `display`.
 */
export const controls = {
  /** A number between two others, in steps: whole ones unless `step` says otherwise. */
  slider(options: {
    readonly label?: string;
    readonly min: number;
    readonly max: number;
    readonly step?: number;
    readonly value?: number;
  }): Control<number> {
    const { label = "", min, max, step = 1, value = min } = options;
    if (!(min < max && step > 0)) {
      throw new RangeError(`slider: min must lie below max and step above 0, got min ${min}, max ${max}, step ${step}`);
    }
    const isWhole = [min, max, step].every(Number.isInteger);
    const [name, format] = isWhole ? ["IntSlider", "d"] : ["FloatSlider", "~g"];
    const model = openModel(name, "SliderStyle", label, { min, max, step, value, readout_format: format });
    return control(model, label || "slider", value, "value", same, same);
  },

  /** Something that is so or is not. */
  checkbox(options: { readonly label?: string; readonly value?: boolean } = {}): Control<boolean> {
    const { label = "", value = false } = options;
    const model = openModel("Checkbox", "CheckboxStyle", label, { value, indent: false });
    return control(model, label || "checkbox", value, "value", same, same);
  },

  /** One of several texts. */
  choice<Choice extends string>(options: {
    readonly label?: string;
    readonly options: readonly Choice[];
    readonly value?: NoInfer<Choice>;
  }): Control<Choice> {
    const { label = "", options: choices, value = choices[0] } = options;
    const indexOf = (choice: Choice): number => {
      const index = choices.indexOf(choice);
      if (index < 0) throw new RangeError(`choice: value must be one of [${choices.join(", ")}], got ${choice}`);
      return index;
    };
    const state = { _options_labels: [...choices], index: indexOf(value) };
    const model = openModel("Dropdown", "DescriptionStyle", label, state);
    return control(model, label || "choice", value, "index", indexOf, (index: number) => choices[index]);
  },

  /** A line of text. */
  text(options: { readonly label?: string; readonly value?: string } = {}): Control<string> {
    const { label = "", value = "" } = options;
    const model = openModel("Text", "TextStyle", label, { value });
    return control(model, label || "text", value, "value", same, same);
  },

  /** Something to press. */
  button(options: { readonly label: string; readonly onPress?: () => void }): Button {
    const model = openModel("Button", "ButtonStyle", options.label, {});
    const made: Button = {
      onPress: options.onPress ?? null,
      close: () => model.close(),
      [displayMethod]: () => view(model, `[${options.label}]`),
    };
    model.onCustom = ({ event }) => {
      if (event === "click") made.onPress?.();
    };
    return made;
  },
};
