// Included before the binding of TensorFlow.js when it is compiled: a tensor made from a typed array is a copy.
//
// TF_NewTensor keeps the memory of a typed array that is aligned to 64 bytes, and holds a reference to it until TensorFlow
// drops the tensor. A session drops tensors in its own threads (a variable that gets a new value in its first step), several
// at once, and there the binding deletes the reference: Node's list of references and V8's handles belong to the thread of
// JavaScript alone, so the list was damaged now and then, and the process ended with a failed check. With a copy the
// reference lives no longer than the call. Arrays that are not aligned, three of four, were copied before too.

#ifndef IFT_KIT_COPIED_TENSORS_H_
#define IFT_KIT_COPIED_TENSORS_H_

#include <cstring>

#include "tensorflow/c/c_api.h"

static inline TF_Tensor* ift_kit_copied_tensor(TF_DataType type, const int64_t* shape, int rank, void* data, size_t bytes,
                                               void (*release)(void* data, size_t bytes, void* arg), void* arg) {
  TF_Tensor* tensor = TF_AllocateTensor(type, shape, rank, bytes);
  if (tensor != nullptr && bytes > 0) std::memcpy(TF_TensorData(tensor), data, bytes);
  release(data, bytes, arg);
  return tensor;
}

#define TF_NewTensor ift_kit_copied_tensor

#endif  // IFT_KIT_COPIED_TENSORS_H_
