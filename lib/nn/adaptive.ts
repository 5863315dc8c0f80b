import type { GraphBuilder, Value } from "../ir/index.ts";
import { checkDecay, checkRate, checkShare, type Optimizer, type Schedule } from "./optimizers.ts";

/** Settings of Adam. */
export interface AdamOptions {
  /** 0.001 unless told otherwise; a number or a schedule. */
  readonly rate?: number | Schedule;
  /** How much of the mean gradient is kept at each step, 0.9 unless told otherwise. */
  readonly beta1?: number;
  /** How much of the mean squared gradient is kept at each step, 0.999 unless told otherwise. */
  readonly beta2?: number;
  /** Added to the root, so that nothing is divided by 0; 10⁻⁸ unless told otherwise. */
  readonly epsilon?: number;
  /** How strongly weights are drawn to zero; 0 for Adam and 0.01 for AdamW unless told otherwise. */
  readonly decay?: number;
}

/** Settings of RMSProp. */
export interface RmsPropOptions {
  /** 0.001 unless told otherwise; a number or a schedule. */
  readonly rate?: number | Schedule;
  /** How much of the mean squared gradient is kept at each step, 0.9 unless told otherwise. */
  readonly keep?: number;
  /** Added to the root, so that nothing is divided by 0; 10⁻⁸ unless told otherwise. */
  readonly epsilon?: number;
}

/** The arithmetic of updates, in few words. */
function arithmetic(builder: GraphBuilder) {
  const scaled = (x: Value, factor: number): Value => builder.apply("scale", [x], { factor });
  const apply =
    (operator: string) =>
    (...operands: readonly Value[]): Value =>
      builder.apply(operator, operands);
  const number = (value: number, like: Value): Value =>
    builder.apply("full", [], { shape: [], dtype: like.type.dtype, value });
  const plus = apply("add");
  /** keep · old + (1 − keep) · fresh. */
  const average = (old: Value, fresh: Value, keep: number): Value => plus(scaled(old, keep), scaled(fresh, 1 - keep));
  return { scaled, number, average, plus, over: apply("divide"), times: apply("multiply"), root: apply("sqrt") };
}

function checkEpsilon(optimizer: string, epsilon: number): void {
  if (!(Number.isFinite(epsilon) && epsilon > 0)) {
    throw new Error(`${optimizer}: epsilon must be a number > 0, got ${epsilon}; try { epsilon: 1e-8 }`);
  }
}

/**
 * Adam: steps of the mean gradient over the root of the mean squared gradient, both corrected for having begun at zero
 * (Kingma and Ba 2015, algorithm 1). The corrections 1 − βᵗ are kept as running means of ones, which is what they are.
 */
export function adam(options: AdamOptions = {}): Optimizer {
  return adaptive("adam", "Adam", false, { decay: 0, ...options });
}

/** Adam with weights drawn to zero beside the step instead of through the gradient (Loshchilov and Hutter 2019). */
export function adamW(options: AdamOptions = {}): Optimizer {
  return adaptive("adamW", "AdamW", true, { decay: 0.01, ...options });
}

function adaptive(subject: string, name: string, decoupled: boolean, options: AdamOptions): Optimizer {
  const { rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0 } = options;
  checkRate(subject, rate);
  checkShare(subject, "beta1", beta1);
  checkShare(subject, "beta2", beta2);
  checkEpsilon(subject, epsilon);
  checkDecay(subject, decay);
  return {
    name,
    hyperparameters: { rate },
    states: ["mean", "square"],
    shared: ["correction1", "correction2"],
    begin({ builder, gradients, shared: { correction1, correction2 } }) {
      const { number, average } = arithmetic(builder);
      const one = number(1, correction1);
      const shared = {
        correction1: average(correction1, one, beta1),
        correction2: average(correction2, one, beta2),
      };
      return { gradients, shared };
    },
    update({ builder, parameter, gradient, states, shared, hyperparameters }) {
      const { scaled, number, average, plus, over, times, root } = arithmetic(builder);
      const drawn = decay === 0 || decoupled ? gradient : plus(gradient, scaled(parameter, decay));
      const mean = average(states.mean, drawn, beta1);
      const square = average(states.square, builder.apply("square", [drawn]), beta2);
      const size = plus(root(over(square, shared.correction2)), number(epsilon, parameter));
      const adapted = over(over(mean, shared.correction1), size);
      const direction = decay !== 0 && decoupled ? plus(adapted, scaled(parameter, decay)) : adapted;
      const next = builder.apply("subtract", [parameter, times(direction, hyperparameters.rate)]);
      return { parameter: next, states: { mean, square } };
    },
  };
}

/** RMSProp: steps of the gradient over the root of the mean squared gradient (Tieleman and Hinton 2012, lecture 6.5). */
export function rmsProp({ rate = 0.001, keep = 0.9, epsilon = 1e-8 }: RmsPropOptions = {}): Optimizer {
  checkRate("rmsProp", rate);
  checkShare("rmsProp", "keep", keep);
  checkEpsilon("rmsProp", epsilon);
  return {
    name: "RMSProp",
    hyperparameters: { rate },
    states: ["square"],
    shared: [],
    update({ builder, parameter, gradient, states, hyperparameters }) {
      const { number, average, plus, over, times, root } = arithmetic(builder);
      const square = average(states.square, builder.apply("square", [gradient]), keep);
      const adapted = over(gradient, plus(root(square), number(epsilon, parameter)));
      const next = builder.apply("subtract", [parameter, times(adapted, hyperparameters.rate)]);
      return { parameter: next, states: { square } };
    },
  };
}

/**
 * An optimiser that sees gradients no longer than `limit`: where the norm of all of them together is larger, they are
 * scaled down to it (Pascanu, Mikolov, Bengio 2013, algorithm 1).
 */
export function clipNorm(optimizer: Optimizer, limit: number): Optimizer {
  if (!(Number.isFinite(limit) && limit > 0)) {
    throw new Error(`clipNorm: limit must be a number > 0, got ${limit}; try clipNorm(adam(), 1)`);
  }
  return {
    ...optimizer,
    name: `${optimizer.name}, clipped`,
    begin(context) {
      const { builder, gradients } = context;
      if (gradients.length === 0) return optimizer.begin?.(context) ?? { gradients, shared: {} };
      const { number, plus, over, times, root } = arithmetic(builder);
      const squares = gradients.map((gradient) => {
        const axes = gradient.type.shape.map((_, axis) => axis);
        return builder.apply("sum", [builder.apply("square", [gradient])], { axes });
      });
      const norm = root(squares.reduce((total, square) => plus(total, square)));
      // The larger of norm and limit is never 0, and gradients that are short enough are divided by exactly 1.
      const most = number(limit, norm);
      const factor = over(most, builder.apply("maximum", [norm, most]));
      const clipped = gradients.map((gradient) => times(gradient, factor));
      return optimizer.begin?.({ ...context, gradients: clipped }) ?? { gradients: clipped, shared: {} };
    },
  };
}
