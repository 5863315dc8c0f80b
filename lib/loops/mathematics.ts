import {
  add,
  binary,
  compare,
  constant,
  divide,
  type Expression,
  integer,
  multiply,
  multiplyAdd,
  select,
  subtract,
  unary,
} from "./expression.ts";

// Elementary functions in float32 from additions and multiplications. The reductions and the minimax polynomials are
// those of Moshier's Cephes library (expf, logf, tanhf; Methods and Programs for Mathematical Functions, 1989), within
// about 2 units in the last place there; scaling by powers of two goes over the exponent bits.

const logOfTwo = Math.LN2;
// ln 2 in two parts: the first has so few bits that its product with an exponent is exact.
const logOfTwoHigh = 0.693359375;
const logOfTwoLow = -2.1219444005469057e-4;
const exponentBias = 127;
const mantissaBits = 23;

/** Coefficients from the highest power down. */
function polynomial(x: Expression, coefficients: readonly number[]): Expression {
  return coefficients
    .slice(1)
    .reduce<Expression>((sum, coefficient) => multiplyAdd(sum, x, constant(coefficient)), constant(coefficients[0]));
}

/** 2 to the power of a whole number from −126 to 127. */
function powerOfTwo(exponent: Expression): Expression {
  const bits = binary("shiftLeft", binary("add", exponent, integer(exponentBias)), integer(mantissaBits));
  return unary("bitsToFloat", bits);
}

/** e to the power x; 0 and infinity where that rounds to them, denormals included. */
export function exponential(x: Expression): Expression {
  // Beyond these the result is 0 or infinite anyway. A NaN passes, since it is the left operand.
  const inside = binary("larger", binary("smaller", x, constant(89)), constant(-104));
  const power = unary("nearest", multiply(inside, constant(1 / logOfTwo)));
  const high = multiplyAdd(power, constant(-logOfTwoHigh), inside);
  const rest = multiplyAdd(power, constant(-logOfTwoLow), high);
  const series = polynomial(
    rest,
    [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1],
  );
  const mantissa = add(multiplyAdd(multiply(rest, rest), series, rest), constant(1));
  // In two halves, since 2 to the power may be out of range where the result is not.
  const whole = unary("toInt", power);
  const half = binary("shiftRight", whole, integer(1));
  // For a NaN the power means nothing, but the mantissa still is one.
  return multiply(multiply(mantissa, powerOfTwo(half)), powerOfTwo(binary("subtract", whole, half)));
}

/** The natural logarithm of x; NaN below 0, −∞ at 0. */
export function logarithm(x: Expression): Expression {
  const smallestNormal = constant(2 ** -126);
  const denormal = compare("less", x, smallestNormal);
  const scaled = select(denormal, multiply(x, constant(2 ** mantissaBits)), x);
  const bits = unary("bitsToInt", scaled);
  const shifted = binary("shiftRight", bits, integer(mantissaBits));
  // x = fraction · 2 to the power, with the fraction from √½ to √2.
  const exponent = unary("toFloat", binary("subtract", shifted, integer(exponentBias - 1)));
  const half = binary("or", binary("and", bits, integer(0x007fffff)), integer(0x3f000000));
  const fraction = unary("bitsToFloat", half);
  const low = compare("less", fraction, constant(Math.SQRT1_2));
  const correction = select(denormal, constant(mantissaBits), constant(0));
  const power = subtract(subtract(exponent, correction), select(low, constant(1), constant(0)));
  const offset = add(subtract(fraction, constant(1)), select(low, fraction, constant(0)));
  const square = multiply(offset, offset);
  const series = polynomial(
    offset,
    [
      7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
      2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    ],
  );
  const tail = multiplyAdd(power, constant(logOfTwoLow), multiply(multiply(series, offset), square));
  const fine = multiplyAdd(square, constant(-0.5), tail);
  const finite = multiplyAdd(power, constant(logOfTwoHigh), add(offset, fine));
  const infinity = constant(Number.POSITIVE_INFINITY);
  const atZero = select(compare("equal", x, constant(0)), constant(Number.NEGATIVE_INFINITY), constant(Number.NaN));
  const positive = select(compare("less", x, infinity), finite, x);
  // Neither 0, nor negative, nor NaN is greater than 0; a NaN is right for the last two.
  return select(compare("less", constant(0), x), positive, atZero);
}

/** The hyperbolic tangent of x. */
export function hyperbolicTangent(x: Expression): Expression {
  const magnitude = unary("absolute", x);
  const square = multiply(x, x);
  const series = polynomial(
    square,
    [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1],
  );
  const near = multiplyAdd(multiply(series, square), x, x);
  const doubled = exponential(add(magnitude, magnitude));
  const far = subtract(constant(1), divide(constant(2), add(doubled, constant(1))));
  const signed = select(compare("less", x, constant(0)), unary("negate", far), far);
  return select(compare("less", magnitude, constant(0.625)), near, signed);
}

/** 1 / (1 + e to the power −x), by way of the power that cannot overflow. */
export function logistic(x: Expression): Expression {
  const power = exponential(unary("negate", unary("absolute", x)));
  const numerator = select(compare("less", x, constant(0)), power, constant(1));
  return divide(numerator, add(constant(1), power));
}

/**
 * The error function: x times a quotient of polynomials in x², within about 4 units in the last place. The coefficients
 * are our own, fitted to erf(x)/x on [0, 3.92] for the least relative error by weighted least squares (Lawson 1961): 2·10⁻⁸
 * before rounding. Beyond 3.92 the function is 1 in float32.
 */
export function errorFunction(x: Expression): Expression {
  const inside = binary("larger", binary("smaller", x, constant(3.92)), constant(-3.92));
  const square = multiply(inside, inside);
  const numerator = polynomial(
    square,
    [
      2.050145288133398e-6, 2.8488072357262944e-4, 3.76543789564282e-3, 5.2748166861662754e-2, 1.904020033981318e-1,
      1.1283791461949282,
    ],
  );
  const denominator = polynomial(
    square,
    [3.809221882976652e-5, 1.1624961398420993e-3, 1.496885254420158e-2, 1.1410729833066265e-1, 5.020721235657754e-1, 1],
  );
  const quotient = divide(multiply(inside, numerator), denominator);
  return binary("larger", binary("smaller", quotient, constant(1)), constant(-1));
}
