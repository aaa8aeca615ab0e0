"""Keras on JAX: its own loop, padding masked, one run after another."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
from keras import layers
from task import BATCH, CELLS, EMBEDDING, EPOCHS, HIDDEN, RATE, given

NETWORKS = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}


def main() -> None:
    """Train every cell with every seed."""
    task = given()
    found = {}
    for cell in CELLS:
        for seed in task.seeds:
            keras.utils.set_random_seed(seed)
            drawn = keras.initializers.RandomNormal(stddev=1.0)  # as torch.nn.Embedding's
            model = keras.Sequential(
                [
                    layers.Embedding(task.symbols, EMBEDDING, mask_zero=True, embeddings_initializer=drawn),
                    NETWORKS[cell](HIDDEN),
                    layers.Dense(2),
                ]
            )
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(keras.optimizers.Adam(RATE), loss, metrics=["accuracy"])
            history = model.fit(
                task.train.inputs,
                task.train.labels,
                batch_size=BATCH,
                epochs=EPOCHS,
                validation_data=(task.test.inputs, task.test.labels),
                verbose=0,
            )
            found[f"{cell}/{seed}"] = float(history.history["val_accuracy"][-1])
    task.finish(found)


if __name__ == "__main__":
    main()
