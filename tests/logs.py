"""Logs of other programs, as they write them."""

import json

TWO_LINES = """\
Train Epoch: 1 Loss: 0.589669 Acc: 0.674022
Test set: Average loss: 0.4921, Accuracy: 0.7615
Train Epoch: 2 Loss: 0.389669 Acc: 0.824022
Test set: Average loss: 0.3921, Accuracy: 0.8532
"""


CSV = "epoch,loss,accuracy,val_loss,val_accuracy\n1,0.5,0.7,0.6,0.65\n2,0.4,0.8,0.5,0.75\n"


KERAS = json.dumps(
    {"loss": [0.5, 0.4], "accuracy": [0.7, 0.8], "val_loss": [0.6, 0.5], "val_accuracy": [0.65, 0.75]}
)


LIGHTNING = """\
epoch,step,train_loss_epoch,train_loss_step,val_loss,val_acc,test_loss,test_acc
0,9,,0.71,,,,
0,19,,,0.6,0.65,,
0,19,0.5,,,,,
1,29,,0.41,,,,
1,39,,,0.5,0.75,,
1,39,0.4,,,,,
2,40,,,,,0.55,0.7
"""
