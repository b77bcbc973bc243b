// The arithmetic of the kernels, in plain loops that the compiler turns into vector instructions.
#ifndef IFT_KIT_MATH_H_
#define IFT_KIT_MATH_H_

#include <stdint.h>
#include <string.h>

// One build runs on every processor of its kind: the loader picks the version with the widest vectors that it has.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define WIDEST_VECTORS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WIDEST_VECTORS
#endif

namespace ift_kit {

// Sixteen numbers that are worked on together, as one register or several.
constexpr int64_t kLanes = 16;
typedef float Lanes __attribute__((vector_size(64), aligned(4)));
typedef int32_t IntegerLanes __attribute__((vector_size(64), aligned(4)));
#define ALWAYS_INLINE inline __attribute__((always_inline))

// e^x within two units in the last place; 0 below -87. For one number or for lanes of them.
template <typename Number, typename Integer>
ALWAYS_INLINE Number ExpOf(Number x) {
  const Number zero{}, low = zero - 87.0f, high = zero + 88.0f;
  const Number lowered = x > high ? high : x;
  const Number clamped = lowered < low ? low : lowered;
  // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
  const Number shifted = clamped * 1.44269504f + 12582912.0f;
  const Number n = shifted - 12582912.0f;
  const Number r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
  Number p = zero + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  Integer bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits - (0x4b400000 - 127)) * (1 << 23);
  Number power;
  memcpy(&power, &bits, sizeof power);
  return x < low ? zero : p * power;
}

ALWAYS_INLINE float Exp(float x) { return ExpOf<float, int32_t>(x); }

ALWAYS_INLINE float Sigmoid(float x) { return 1.0f / (1.0f + Exp(-x)); }

// GELU in its tanh form is x * Sigmoid(kSlope * (x + kCubic x^3)).
constexpr float kSlope = 1.5957691216f;
constexpr float kCubic = 0.044715f;

// The sum and the largest of sixteen numbers, in halves: four steps where one after the other takes fifteen.
#define ADD(a, b) (a + b)
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#if defined(__clang__) || __GNUC__ >= 12
#define IN_HALVES(lanes, JOIN)                                                                                  \
  lanes = JOIN(lanes, __builtin_shufflevector(lanes, lanes, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)); \
  lanes = JOIN(lanes, __builtin_shufflevector(lanes, lanes, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3));       \
  lanes = JOIN(lanes, __builtin_shufflevector(lanes, lanes, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1));       \
  lanes = JOIN(lanes, __builtin_shufflevector(lanes, lanes, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0));
#else
#define IN_HALVES(lanes, JOIN)                   \
  for (int64_t half = 8; half > 0; half /= 2) {  \
    for (int64_t k = 0; k < half; k++) lanes[k] = JOIN(lanes[k], lanes[k + half]); \
  }
#endif

ALWAYS_INLINE float Sum(Lanes lanes) {
  IN_HALVES(lanes, ADD)
  return lanes[0];
}

ALWAYS_INLINE float Largest(Lanes lanes) {
  IN_HALVES(lanes, MAX)
  return lanes[0];
}

}  // namespace ift_kit

#endif  // IFT_KIT_MATH_H_
