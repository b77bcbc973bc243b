// A thin C++ face of TensorFlow's C interface for kernels.
#ifndef IFT_KIT_CALL_H_
#define IFT_KIT_CALL_H_

#include <initializer_list>
#include <string>
#include <vector>

#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

// From tensorflow/c/kernels.h, which itself wants headers that the Python wheel does not carry.
extern "C" {
typedef struct TF_KernelBuilder TF_KernelBuilder;
typedef struct TF_OpKernelConstruction TF_OpKernelConstruction;
typedef struct TF_OpKernelContext TF_OpKernelContext;
TF_KernelBuilder* TF_NewKernelBuilder(const char* op, const char* device, void* (*create)(TF_OpKernelConstruction*),
                                      void (*compute)(void*, TF_OpKernelContext*), void (*dispose)(void*));
void TF_RegisterKernelBuilder(const char* name, TF_KernelBuilder* builder, TF_Status* status);
void TF_GetInput(TF_OpKernelContext* context, int index, TF_Tensor** tensor, TF_Status* status);
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext* context, int index, TF_DataType type, const int64_t* shape, int axes,
                             size_t bytes, TF_Status* status);
void TF_OpKernelContext_Failure(TF_OpKernelContext* context, TF_Status* status);
void TF_OpKernelConstruction_GetAttrInt64(TF_OpKernelConstruction* context, const char* name, int64_t* value,
                                          TF_Status* status);
void TF_OpKernelConstruction_GetAttrFloat(TF_OpKernelConstruction* context, const char* name, float* value,
                                          TF_Status* status);
void TF_OpKernelConstruction_GetAttrBool(TF_OpKernelConstruction* context, const char* name, unsigned char* value,
                                         TF_Status* status);
}

namespace ift_kit {

using Shape = std::vector<int64_t>;

inline int64_t SizeOf(const Shape& shape) {
  int64_t size = 1;
  for (int64_t length : shape) size *= length;
  return size;
}

// One run of an op: its inputs, its outputs, and what is wrong with them. Tensors live until the call ends.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {}
  ~Call() {
    if (TF_GetCode(status_) != TF_OK) TF_OpKernelContext_Failure(context_, status_);
    for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  template <typename Value = float>
  const Value* Input(int index, Shape* shape) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context_, index, &tensor, status_);
    if (!ok()) return nullptr;
    tensors_.push_back(tensor);
    shape->clear();
    for (int axis = 0; axis < TF_NumDims(tensor); axis++) shape->push_back(TF_Dim(tensor, axis));
    return static_cast<const Value*>(TF_TensorData(tensor));
  }

  float* Output(int index, const Shape& shape) {
    if (!ok()) return nullptr;
    TF_Tensor* tensor = TF_AllocateOutput(context_, index, TF_FLOAT, shape.data(), static_cast<int>(shape.size()),
                                          SizeOf(shape) * sizeof(float), status_);
    if (!ok()) return nullptr;
    tensors_.push_back(tensor);
    return static_cast<float*>(TF_TensorData(tensor));
  }

  // Notes a mistake of the caller; nothing may be read or written after it.
  bool Require(bool condition, const char* message) {
    if (ok() && !condition) TF_SetStatus(status_, TF_INVALID_ARGUMENT, message);
    return ok();
  }

  bool ok() const { return TF_GetCode(status_) == TF_OK; }

 private:
  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
};

// The attributes that the ops have; those that an op does not have keep their defaults.
struct Attributes {
  float epsilon = 0;
  int64_t heads = 1;
  int64_t time = 1;
  bool centred = false;
};

using Compute = void (*)(Call& call, const Attributes& attributes);

// What an op looks like from outside, in TensorFlow's own notation ("x: float", "epsilon: float").
struct Op {
  const char* name;
  std::vector<const char*> inputs;
  std::vector<const char*> outputs;
  std::vector<const char*> attributes;
};

// Registers an op and its kernel for processors; gives the problem, or "".
template <Compute compute>
std::string Register(const Op& op) {
  TF_Status* status = TF_NewStatus();
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(op.name);
  for (const char* input : op.inputs) TF_OpDefinitionBuilderAddInput(definition, input);
  for (const char* output : op.outputs) TF_OpDefinitionBuilderAddOutput(definition, output);
  for (const char* attribute : op.attributes) TF_OpDefinitionBuilderAddAttr(definition, attribute);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, [](TF_ShapeInferenceContext* context, TF_Status* problem) {
    TF_ShapeInferenceContextSetUnknownShape(context, problem);
  });
  TF_RegisterOpDefinition(definition, status);
  if (TF_GetCode(status) == TF_OK) {
    TF_KernelBuilder* builder = TF_NewKernelBuilder(
        op.name, "CPU",
        [](TF_OpKernelConstruction* construction) -> void* {
          auto* attributes = new Attributes();
          TF_Status* missing = TF_NewStatus();
          TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &attributes->epsilon, missing);
          TF_OpKernelConstruction_GetAttrInt64(construction, "heads", &attributes->heads, missing);
          TF_OpKernelConstruction_GetAttrInt64(construction, "time", &attributes->time, missing);
          unsigned char centred = 0;
          TF_OpKernelConstruction_GetAttrBool(construction, "centred", &centred, missing);
          attributes->centred = centred != 0;
          TF_DeleteStatus(missing);
          return attributes;
        },
        [](void* attributes, TF_OpKernelContext* context) {
          Call call(context);
          compute(call, *static_cast<Attributes*>(attributes));
        },
        [](void* attributes) { delete static_cast<Attributes*>(attributes); });
    TF_RegisterKernelBuilder(op.name, builder, status);
  }
  std::string problem = TF_GetCode(status) == TF_OK ? "" : TF_Message(status);
  TF_DeleteStatus(status);
  return problem;
}

}  // namespace ift_kit

#endif  // IFT_KIT_CALL_H_
