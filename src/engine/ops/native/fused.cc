// Ops that TensorFlow has only as chains of elementwise kernels, each in one pass over memory: normalization, GELU and
// SwiGLU, the weights of attention, the way between rows and heads with rotary positions, cross entropy; with their
// gradients. Eager TensorFlow writes every link of such a chain to memory, which is most of a small model's time beside
// its matrix products. The formulas are those of the TypeScript files in the folder above, which run where this
// library is not there, and the tests hold the two to each other.
#include <math.h>
#include <node_api.h>

#include "call.h"
#include "math.h"

namespace ift_kit {
namespace {

// ---- normalization: x [rows, width] ----

WIDEST_VECTORS void NormRows(const float* x, const float* gain, const float* bias, float* y, float* statistics,
                             int64_t rows, int64_t width, float epsilon, bool centred) {
  for (int64_t row = 0; row < rows; row++, x += width, y += width) {
    float sum = 0;
    if (centred) {
#pragma omp simd reduction(+ : sum)
      for (int64_t k = 0; k < width; k++) sum += x[k];
    }
    const float mean = sum / width;
    float squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int64_t k = 0; k < width; k++) squares += (x[k] - mean) * (x[k] - mean);
    const float inverse = 1.0f / sqrtf(squares / width + epsilon);
    if (bias != nullptr) {
#pragma omp simd
      for (int64_t k = 0; k < width; k++) y[k] = (x[k] - mean) * inverse * gain[k] + bias[k];
    } else {
#pragma omp simd
      for (int64_t k = 0; k < width; k++) y[k] = (x[k] - mean) * inverse * gain[k];
    }
    statistics[2 * row] = mean;
    statistics[2 * row + 1] = inverse;
  }
}

// (x, gain, bias or []) -> (y, [mean, 1 / deviation] of each row)
void Norm(Call& call, const Attributes& attributes) {
  Shape shape, gain_shape, bias_shape;
  const float* x = call.Input(0, &shape);
  const float* gain = call.Input(1, &gain_shape);
  const float* bias = call.Input(2, &bias_shape);
  if (!call.Require(shape.size() == 2 && gain_shape == Shape{shape[1]}, "norm: x is [rows, width], gain [width]")) return;
  if (!call.Require(bias_shape == Shape{0} || bias_shape == gain_shape, "norm: bias is [width] or []")) return;
  float* y = call.Output(0, shape);
  float* statistics = call.Output(1, {shape[0], 2});
  if (!call.ok()) return;
  NormRows(x, gain, bias_shape[0] == 0 ? nullptr : bias, y, statistics, shape[0], shape[1], attributes.epsilon,
           attributes.centred);
}

WIDEST_VECTORS void NormGradientRows(const float* gradient, const float* x, const float* statistics, const float* gain,
                                     float* dx, float* dgain, float* dbias, int64_t rows, int64_t width, bool centred) {
  for (int64_t k = 0; k < width; k++) dgain[k] = dbias[k] = 0;
  for (int64_t row = 0; row < rows; row++, gradient += width, x += width, dx += width) {
    const float mean = statistics[2 * row], inverse = statistics[2 * row + 1];
    float inner_sum = 0, projection = 0;
#pragma omp simd reduction(+ : inner_sum, projection)
    for (int64_t k = 0; k < width; k++) {
      const float normed = (x[k] - mean) * inverse;
      const float inner = gradient[k] * gain[k];
      inner_sum += inner;
      projection += inner * normed;
      dgain[k] += gradient[k] * normed;
      dbias[k] += gradient[k];
    }
    const float inner_mean = centred ? inner_sum / width : 0;
    projection /= width;
#pragma omp simd
    for (int64_t k = 0; k < width; k++) {
      const float normed = (x[k] - mean) * inverse;
      dx[k] = (gradient[k] * gain[k] - inner_mean - normed * projection) * inverse;
    }
  }
}

// (gradient, x, statistics, gain) -> (of x, of gain, of bias)
void NormGradient(Call& call, const Attributes& attributes) {
  Shape shape, x_shape, statistics_shape, gain_shape;
  const float* gradient = call.Input(0, &shape);
  const float* x = call.Input(1, &x_shape);
  const float* statistics = call.Input(2, &statistics_shape);
  const float* gain = call.Input(3, &gain_shape);
  if (!call.Require(shape.size() == 2 && x_shape == shape && statistics_shape == (Shape{shape[0], 2}) &&
                        gain_shape == Shape{shape[1]},
                    "norm gradient: shapes differ"))
    return;
  float* dx = call.Output(0, shape);
  float* dgain = call.Output(1, gain_shape);
  float* dbias = call.Output(2, gain_shape);
  if (!call.ok()) return;
  NormGradientRows(gradient, x, statistics, gain, dx, dgain, dbias, shape[0], shape[1], attributes.centred);
}

// ---- activations: any shape ----

WIDEST_VECTORS void GeluValues(const float* x, float* y, int64_t size) {
#pragma omp simd
  for (int64_t k = 0; k < size; k++) y[k] = x[k] * Sigmoid(kSlope * x[k] * (1.0f + kCubic * x[k] * x[k]));
}

void Gelu(Call& call, const Attributes&) {
  Shape shape;
  const float* x = call.Input(0, &shape);
  float* y = call.Output(0, shape);
  if (call.ok()) GeluValues(x, y, SizeOf(shape));
}

WIDEST_VECTORS void GeluGradientValues(const float* gradient, const float* x, float* dx, int64_t size) {
#pragma omp simd
  for (int64_t k = 0; k < size; k++) {
    const float square = kCubic * x[k] * x[k];
    const float gate = Sigmoid(kSlope * x[k] * (1.0f + square));
    dx[k] = gradient[k] * (gate + gate * (1.0f - gate) * kSlope * x[k] * (1.0f + 3.0f * square));
  }
}

// (gradient, x) -> of x
void GeluGradient(Call& call, const Attributes&) {
  Shape shape, x_shape;
  const float* gradient = call.Input(0, &shape);
  const float* x = call.Input(1, &x_shape);
  if (!call.Require(shape == x_shape, "gelu gradient: shapes differ")) return;
  float* dx = call.Output(0, shape);
  if (call.ok()) GeluGradientValues(gradient, x, dx, SizeOf(shape));
}

WIDEST_VECTORS void SwigluValues(const float* gate, const float* value, float* y, int64_t size) {
#pragma omp simd
  for (int64_t k = 0; k < size; k++) y[k] = gate[k] * Sigmoid(gate[k]) * value[k];
}

// (gate, value) -> silu(gate) * value
void Swiglu(Call& call, const Attributes&) {
  Shape shape, value_shape;
  const float* gate = call.Input(0, &shape);
  const float* value = call.Input(1, &value_shape);
  if (!call.Require(shape == value_shape, "swiglu: shapes differ")) return;
  float* y = call.Output(0, shape);
  if (call.ok()) SwigluValues(gate, value, y, SizeOf(shape));
}

WIDEST_VECTORS void SwigluGradientValues(const float* gradient, const float* gate, const float* value, float* dgate,
                                         float* dvalue, int64_t size) {
#pragma omp simd
  for (int64_t k = 0; k < size; k++) {
    const float open = Sigmoid(gate[k]);
    dgate[k] = gradient[k] * value[k] * (open + gate[k] * open * (1.0f - open));
    dvalue[k] = gradient[k] * gate[k] * open;
  }
}

// (gradient, gate, value) -> (of gate, of value)
void SwigluGradient(Call& call, const Attributes&) {
  Shape shape, gate_shape, value_shape;
  const float* gradient = call.Input(0, &shape);
  const float* gate = call.Input(1, &gate_shape);
  const float* value = call.Input(2, &value_shape);
  if (!call.Require(shape == gate_shape && shape == value_shape, "swiglu gradient: shapes differ")) return;
  float* dgate = call.Output(0, shape);
  float* dvalue = call.Output(1, shape);
  if (call.ok()) SwigluGradientValues(gradient, gate, value, dgate, dvalue, SizeOf(shape));
}

// ---- attention: scores and weights [batch, heads, queries, keys] ----

// What a mask adds to a score that must not be seen; see attention-mask.ts.
constexpr float kHidden = -1e9f;

// The weights of one query in all heads of a batch row. `line` is its mask, in whole lanes, and `row` has as much room.
WIDEST_VECTORS void WeightRows(const float* scores, const Lanes* line, float* weights, Lanes* row, int64_t heads,
                               int64_t queries, int64_t keys, int64_t visible) {
  const int64_t blocks = (visible + kLanes - 1) / kLanes;
  const int64_t reach = blocks * kLanes < keys ? blocks * kLanes : keys;
  for (int64_t head = 0; head < heads; head++, scores += queries * keys, weights += queries * keys) {
    memcpy(row, scores, reach * sizeof(float));
    Lanes largest_of = Lanes{} + 2 * kHidden, sum_of{};
    for (int64_t block = 0; block < blocks; block++) {
      row[block] += line[block];
      largest_of = row[block] > largest_of ? row[block] : largest_of;
    }
    const float largest = Largest(largest_of);
    for (int64_t block = 0; block < blocks; block++) {
      row[block] = ExpOf<Lanes, IntegerLanes>(row[block] - largest);
      sum_of += row[block];
    }
    const float inverse = 1.0f / Sum(sum_of);
    for (int64_t block = 0; block < blocks; block++) row[block] *= inverse;
    memcpy(weights, row, reach * sizeof(float));
    memset(weights + reach, 0, (keys - reach) * sizeof(float));
  }
}

// (scores, mask [queries, keys] or [batch, 1, queries, keys]) -> softmax(scores + mask)
void AttentionWeights(Call& call, const Attributes&) {
  Shape shape, mask_shape;
  const float* scores = call.Input(0, &shape);
  const float* mask = call.Input(1, &mask_shape);
  if (!call.Require(shape.size() == 4, "attention weights: scores are [batch, heads, queries, keys]")) return;
  const int64_t batch = shape[0], heads = shape[1], queries = shape[2], keys = shape[3];
  const bool shared = mask_shape == Shape{queries, keys};
  if (!call.Require(shared || mask_shape == (Shape{batch, 1, queries, keys}), "attention weights: the mask does not fit"))
    return;
  float* weights = call.Output(0, shape);
  if (!call.ok()) return;
  // Whole lanes; what lies behind the last key is hidden.
  std::vector<float> row(keys + kLanes), line(keys + kLanes, 2 * kHidden);
  for (int64_t b = 0; b < batch; b++) {
    for (int64_t query = 0; query < queries; query++) {
      const float* of_query = mask + ((shared ? 0 : b * queries) + query) * keys;
      memcpy(line.data(), of_query, keys * sizeof(float));
      // Under a causal mask half of the keys lie behind the last one that is seen.
      int64_t visible = keys;
      while (visible > 1 && of_query[visible - 1] <= kHidden) visible--;
      const int64_t start = (b * heads * queries + query) * keys;
      WeightRows(scores + start, reinterpret_cast<const Lanes*>(line.data()), weights + start,
                 reinterpret_cast<Lanes*>(row.data()), heads, queries, keys, visible);
    }
  }
}

WIDEST_VECTORS void WeightGradientRows(const float* gradient, const float* weights, float* dscores, int64_t rows,
                                       int64_t keys) {
  for (int64_t row = 0; row < rows; row++, gradient += keys, weights += keys, dscores += keys) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t k = 0; k < keys; k++) sum += gradient[k] * weights[k];
#pragma omp simd
    for (int64_t k = 0; k < keys; k++) dscores[k] = weights[k] * (gradient[k] - sum);
  }
}

// (gradient, weights) -> of scores
void AttentionWeightsGradient(Call& call, const Attributes&) {
  Shape shape, weights_shape;
  const float* gradient = call.Input(0, &shape);
  const float* weights = call.Input(1, &weights_shape);
  if (!call.Require(shape.size() == 4 && shape == weights_shape, "attention weights gradient: shapes differ")) return;
  float* dscores = call.Output(0, shape);
  if (call.ok()) WeightGradientRows(gradient, weights, dscores, shape[0] * shape[1] * shape[2], shape[3]);
}

// ---- rows [batch * time, columns] and heads [batch, heads, time, head width] ----

// Turns the heads of one token by its angles: (a, b) -> (a cos - b sin, b cos + a sin), a and b the halves of a head.
// The steps say how far apart the heads lie.
WIDEST_VECTORS void Turn(const float* x, int64_t x_step, const float* cosines, const float* sines, float* y,
                         int64_t y_step, int64_t heads, int64_t width) {
  const int64_t half = width / 2;
  for (int64_t head = 0; head < heads; head++, x += x_step, y += y_step, cosines += width, sines += width) {
#pragma omp simd
    for (int64_t k = 0; k < half; k++) y[k] = x[k] * cosines[k] - x[k + half] * sines[k];
#pragma omp simd
    for (int64_t k = half; k < width; k++) y[k] = x[k] * cosines[k] + x[k - half] * sines[k];
  }
}

// The gradient of Turn.
WIDEST_VECTORS void TurnBack(const float* x, int64_t x_step, const float* cosines, const float* sines, float* y,
                             int64_t y_step, int64_t heads, int64_t width) {
  const int64_t half = width / 2;
  for (int64_t head = 0; head < heads; head++, x += x_step, y += y_step, cosines += width, sines += width) {
#pragma omp simd
    for (int64_t k = 0; k < half; k++) y[k] = x[k] * cosines[k] + x[k + half] * sines[k + half];
#pragma omp simd
    for (int64_t k = half; k < width; k++) y[k] = x[k] * cosines[k] - x[k - half] * sines[k - half];
  }
}

WIDEST_VECTORS void Scale(const float* x, int64_t x_step, float* y, int64_t y_step, int64_t heads, int64_t width,
                          float factor) {
  for (int64_t head = 0; head < heads; head++, x += x_step, y += y_step) {
#pragma omp simd
    for (int64_t k = 0; k < width; k++) y[k] = x[k] * factor;
  }
}

// How queries, keys and values lie side by side, and their angles; see rotary.ts.
struct Joint {
  int64_t batch, time, heads, width;
  const float* cosines;
  const float* sines;
  // Whether the angles are given for each row of the batch, or for all rows together.
  bool by_row;
};

bool ReadAngles(Call& call, int first, Joint* joint) {
  Shape shape, sines_shape;
  joint->cosines = call.Input(first, &shape);
  joint->sines = call.Input(first + 1, &sines_shape);
  if (!call.Require(shape == sines_shape, "heads: cosines and sines differ in shape")) return false;
  const int64_t columns = 3 * joint->heads * joint->width;
  joint->by_row = shape.size() == 3;
  if (shape == Shape{0}) {
    joint->cosines = nullptr;
    return true;
  }
  return call.Require(shape == (Shape{joint->time, columns}) || shape == (Shape{joint->batch, joint->time, columns}),
                      "heads: the angles do not fit");
}

// Calls visit(part, token, angles, where in rows, where in heads) for each token; parts are query, key, value. The heads
// of a token lie `width` apart in rows and `time * width` apart in heads.
template <typename Visit>
void ForEachToken(const Joint& joint, Visit visit) {
  const int64_t width = joint.heads * joint.width;
  for (int64_t b = 0; b < joint.batch; b++) {
    for (int part = 0; part < 3; part++) {
      for (int64_t t = 0; t < joint.time; t++) {
        const int64_t row = b * joint.time + t;
        visit(part, ((joint.by_row ? row : t) * 3 + part) * width, (row * 3 + part) * width,
              (b * joint.heads * joint.time + t) * joint.width);
      }
    }
  }
}

// (joint [batch * time, 3 * heads * width], cosines, sines) -> (scaled query, key, value)
void SplitHeads(Call& call, const Attributes& attributes) {
  Shape shape;
  const float* x = call.Input(0, &shape);
  const int64_t heads = attributes.heads, time = attributes.time;
  if (!call.Require(shape.size() == 2 && heads > 0 && time > 0 && shape[0] % time == 0 && shape[1] % (3 * heads) == 0,
                    "split heads: the rows do not fit the heads and the time"))
    return;
  const int64_t width = shape[1] / (3 * heads);
  Joint joint{shape[0] / time, time, heads, width, nullptr, nullptr, false};
  if (!ReadAngles(call, 1, &joint)) return;
  const Shape output{joint.batch, heads, time, width};
  float* parts[3] = {call.Output(0, output), call.Output(1, output), call.Output(2, output)};
  if (!call.ok()) return;
  const float factor = 1.0f / sqrtf(static_cast<float>(width));
  ForEachToken(joint, [&](int part, int64_t angle, int64_t from, int64_t to) {
    if (joint.cosines == nullptr || part == 2) {
      Scale(x + from, width, parts[part] + to, time * width, heads, width, part == 0 ? factor : 1.0f);
    } else {
      Turn(x + from, width, joint.cosines + angle, joint.sines + angle, parts[part] + to, time * width, heads, width);
    }
  });
}

// (gradients of scaled query, key, value, cosines, sines) -> of joint
void SplitHeadsGradient(Call& call, const Attributes&) {
  Shape shape, key_shape, value_shape;
  const float* parts[3] = {call.Input(0, &shape), call.Input(1, &key_shape), call.Input(2, &value_shape)};
  if (!call.Require(shape.size() == 4 && shape == key_shape && shape == value_shape, "split heads gradient: shapes differ"))
    return;
  const int64_t heads = shape[1], time = shape[2], width = shape[3];
  Joint joint{shape[0], time, heads, width, nullptr, nullptr, false};
  if (!ReadAngles(call, 3, &joint)) return;
  float* dx = call.Output(0, {joint.batch * time, 3 * heads * width});
  if (!call.ok()) return;
  const float factor = 1.0f / sqrtf(static_cast<float>(width));
  ForEachToken(joint, [&](int part, int64_t angle, int64_t to, int64_t from) {
    if (joint.cosines == nullptr || part == 2) {
      Scale(parts[part] + from, time * width, dx + to, width, heads, width, part == 0 ? factor : 1.0f);
    } else {
      TurnBack(parts[part] + from, time * width, joint.cosines + angle, joint.sines + angle, dx + to, width, heads, width);
    }
  });
}

// [batch, heads, time, width] -> [batch * time, heads * width]
void JoinHeads(Call& call, const Attributes&) {
  Shape shape;
  const float* x = call.Input(0, &shape);
  if (!call.Require(shape.size() == 4, "join heads: four axes are needed")) return;
  const int64_t batch = shape[0], heads = shape[1], time = shape[2], width = shape[3];
  float* y = call.Output(0, {batch * time, heads * width});
  if (!call.ok()) return;
  for (int64_t row = 0; row < batch * time; row++) {
    Scale(x + (row / time * heads * time + row % time) * width, time * width, y + row * heads * width, width, heads, width,
          1.0f);
  }
}

// [batch * time, heads * width] -> [batch, heads, time, width]: the gradient of JoinHeads
void PartHeads(Call& call, const Attributes& attributes) {
  Shape shape;
  const float* x = call.Input(0, &shape);
  const int64_t heads = attributes.heads, time = attributes.time;
  if (!call.Require(shape.size() == 2 && heads > 0 && time > 0 && shape[0] % time == 0 && shape[1] % heads == 0,
                    "part heads: the rows do not fit the heads and the time"))
    return;
  const int64_t width = shape[1] / heads;
  float* y = call.Output(0, {shape[0] / time, heads, time, width});
  if (!call.ok()) return;
  for (int64_t row = 0; row < shape[0]; row++) {
    Scale(x + row * heads * width, width, y + (row / time * heads * time + row % time) * width, time * width, heads, width,
          1.0f);
  }
}

// ---- cross entropy: logits [rows, vocabulary] ----

WIDEST_VECTORS float ProbabilityRow(const float* logits, float* probabilities, int64_t vocabulary) {
  float largest = logits[0];
#pragma omp simd reduction(max : largest)
  for (int64_t k = 1; k < vocabulary; k++) largest = logits[k] > largest ? logits[k] : largest;
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t k = 0; k < vocabulary; k++) {
    probabilities[k] = Exp(logits[k] - largest);
    sum += probabilities[k];
  }
  const float inverse = 1.0f / sum;
#pragma omp simd
  for (int64_t k = 0; k < vocabulary; k++) probabilities[k] *= inverse;
  return largest + logf(sum);
}

// (logits, targets) -> (-log p[target] of each row, probabilities)
void CrossEntropy(Call& call, const Attributes&) {
  Shape shape, targets_shape;
  const float* logits = call.Input(0, &shape);
  const int32_t* targets = call.Input<int32_t>(1, &targets_shape);
  if (!call.Require(shape.size() == 2 && shape[1] > 0 && targets_shape == Shape{shape[0]},
                    "cross entropy: logits are [rows, vocabulary], targets [rows]"))
    return;
  const int64_t rows = shape[0], vocabulary = shape[1];
  for (int64_t row = 0; row < rows; row++) {
    if (!call.Require(targets[row] >= 0 && targets[row] < vocabulary, "cross entropy: a target is outside the vocabulary"))
      return;
  }
  float* losses = call.Output(0, {rows});
  float* probabilities = call.Output(1, shape);
  if (!call.ok()) return;
  for (int64_t row = 0; row < rows; row++, logits += vocabulary, probabilities += vocabulary) {
    losses[row] = ProbabilityRow(logits, probabilities, vocabulary) - logits[targets[row]];
  }
}

// (gradient of each row's loss, probabilities, targets) -> of logits
void CrossEntropyGradient(Call& call, const Attributes&) {
  Shape gradient_shape, shape, targets_shape;
  const float* gradient = call.Input(0, &gradient_shape);
  const float* probabilities = call.Input(1, &shape);
  const int32_t* targets = call.Input<int32_t>(2, &targets_shape);
  if (!call.Require(shape.size() == 2 && gradient_shape == Shape{shape[0]} && targets_shape == Shape{shape[0]},
                    "cross entropy gradient: shapes differ"))
    return;
  const int64_t rows = shape[0], vocabulary = shape[1];
  float* dlogits = call.Output(0, shape);
  if (!call.ok()) return;
  for (int64_t row = 0; row < rows; row++, probabilities += vocabulary, dlogits += vocabulary) {
    Scale(probabilities, vocabulary, dlogits, vocabulary, 1, vocabulary, gradient[row]);
    if (call.Require(targets[row] >= 0 && targets[row] < vocabulary, "cross entropy gradient: a target is outside"))
      dlogits[targets[row]] -= gradient[row];
  }
}

std::string RegisterAll() {
  const std::string problems[] = {
      Register<Norm>({"IftKitNorm", {"x: float", "gain: float", "bias: float"}, {"y: float", "statistics: float"},
                      {"epsilon: float", "centred: bool"}}),
      Register<NormGradient>({"IftKitNormGradient", {"gradient: float", "x: float", "statistics: float", "gain: float"},
                              {"dx: float", "dgain: float", "dbias: float"}, {"centred: bool"}}),
      Register<Gelu>({"IftKitGelu", {"x: float"}, {"y: float"}, {}}),
      Register<GeluGradient>({"IftKitGeluGradient", {"gradient: float", "x: float"}, {"dx: float"}, {}}),
      Register<Swiglu>({"IftKitSwiglu", {"gate: float", "value: float"}, {"y: float"}, {}}),
      Register<SwigluGradient>({"IftKitSwigluGradient", {"gradient: float", "gate: float", "value: float"},
                                {"dgate: float", "dvalue: float"}, {}}),
      Register<AttentionWeights>({"IftKitAttentionWeights", {"scores: float", "mask: float"}, {"weights: float"}, {}}),
      Register<AttentionWeightsGradient>({"IftKitAttentionWeightsGradient", {"gradient: float", "weights: float"},
                                          {"dscores: float"}, {}}),
      Register<SplitHeads>({"IftKitSplitHeads", {"joint: float", "cosines: float", "sines: float"},
                            {"query: float", "key: float", "value: float"}, {"heads: int", "time: int"}}),
      Register<SplitHeadsGradient>({"IftKitSplitHeadsGradient",
                                    {"query: float", "key: float", "value: float", "cosines: float", "sines: float"},
                                    {"joint: float"}, {}}),
      Register<JoinHeads>({"IftKitJoinHeads", {"heads: float"}, {"rows: float"}, {}}),
      Register<PartHeads>({"IftKitPartHeads", {"rows: float"}, {"parted: float"}, {"heads: int", "time: int"}}),
      Register<CrossEntropy>({"IftKitCrossEntropy", {"logits: float", "targets: int32"},
                              {"losses: float", "probabilities: float"}, {}}),
      Register<CrossEntropyGradient>({"IftKitCrossEntropyGradient",
                                      {"gradient: float", "probabilities: float", "targets: int32"},
                                      {"dlogits: float"}, {}}),
  };
  for (const std::string& problem : problems) {
    if (!problem.empty()) return problem;
  }
  return "";
}

// register(): string. Makes the ops known to TensorFlow, once in a process; gives the problem, or "".
napi_value RegisterOps(napi_env env, napi_callback_info) {
  static const std::string problem = RegisterAll();
  napi_value result;
  napi_create_string_utf8(env, problem.data(), problem.size(), &result);
  return result;
}

napi_value Initialize(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "register", NAPI_AUTO_LENGTH, RegisterOps, nullptr, &function);
  napi_set_named_property(env, exports, "register", function);
  return exports;
}

}  // namespace
}  // namespace ift_kit

NAPI_MODULE(ift_kit_fused, ift_kit::Initialize)
