"use strict";
// danfojs-node requires "@tensorflow/tfjs-node" and would bring a second native TensorFlow with it. It only needs
// the array API, so it gets the one TensorFlow.js that the kit's own engine registers its backend with.
module.exports = require("@tensorflow/tfjs");
