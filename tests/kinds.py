"""Files as other people's tools write them, each with what is to come of it: read, with its figures, or refused.

`test_compatibility` reads each of them, and writes docs/compatibility.md of what came of it.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A file of some kind."""

    what: str
    content: str | bytes
    expected: str
    """What is read, in a line; or `file:line: message`, as far as it is compared."""
    name: str = "log.txt"
    asked: dict[str, Any] = field(default_factory=dict)
    """What the suite says of it."""


LINES = (
    "epoch: 001 | train loss 0.3 | val acc 85%\n"
    "epoch: 002 | train loss 0.2 | val acc 87.5%\n"
)  # fmt: skip
FIGURES = "train_loss 0.3 0.2; validation_accuracy 0.85 0.875"
TWO_LINES = (
    "Train Epoch: 1 Loss: 0.6 Acc: 0.65\nTest set: Average loss: 0.5, Accuracy: 0.75\n"
    "Train Epoch: 2 Loss: 0.4 Acc: 0.8\nTest set: Average loss: 0.45, Accuracy: 0.79\n"
)
OF_TWO_LINES = (
    "train_loss 0.6 0.4; train_accuracy 0.65 0.8; test_loss 0.5 0.45; test_accuracy 0.75 0.79; test 0.45, 0.79"
)
VALIDATED = TWO_LINES.replace("Test set", "Validation set")
OF_VALIDATED = (
    "train_loss 0.6 0.4; train_accuracy 0.65 0.8; validation_loss 0.5 0.45; validation_accuracy 0.75 0.79"
)
BAR = "[==============================]"


def prefixed(prefix: str, text: str = TWO_LINES) -> str:
    """Put something before each line, as loggers do."""
    return "".join(f"{prefix}{line}\n" for line in text.splitlines())


LINE_LOGS = [
    Kind("a line an epoch", LINES, FIGURES),
    Kind("a line an epoch in Chinese", "第1轮 训练损失 0.52 准确率 87.3%\n第2轮 训练损失 0.42 准确率 89.1%\n",
         "train_loss 0.52 0.42; train_accuracy 0.873 0.891"),
    Kind("all parts in Chinese",
         "第1轮：训练集损失：0.52，训练集准确率：87%，验证集损失：0.6，验证集准确率：80%，用时：12.5秒\n"
         "第2轮：训练集损失：0.42，训练集准确率：89%，验证集损失：0.5，验证集准确率：82%，用时：12秒\n测试集准确率：81%\n",
         "train_loss 0.52 0.42; train_accuracy 0.87 0.89; validation_loss 0.6 0.5; validation_accuracy 0.8 0.82; "
         "seconds 12.5 12; test nan, 0.81"),
    Kind("epochs as `[1/2]`", "Epoch [1/2] train_loss=0.3 val_acc=85%\nEpoch [2/2] train_loss=0.2 val_acc=87.5%\n", FIGURES),
    Kind("d2l's lines", "epoch 1, loss 0.5, train acc 0.8, test acc 0.75, time 3.2 sec\n"
         "epoch 2, loss 0.4, train acc 0.82, test acc 0.77, time 3.1 sec\n",
         "train_loss 0.5 0.4; train_accuracy 0.8 0.82; test_accuracy 0.75 0.77; seconds 3.2 3.1; test nan, 0.77"),
    Kind("a loss and an accuracy of each part in turn",
         "Epoch 1 train loss 0.5 acc 0.7 val loss 0.6 acc 0.65\nEpoch 2 train loss 0.4 acc 0.8 val loss 0.5 acc 0.75\n",
         "train_loss 0.5 0.4; train_accuracy 0.7 0.8; validation_loss 0.6 0.5; validation_accuracy 0.65 0.75"),
    Kind("an accuracy of nobody knows which part", "Epoch 1 train loss 0.5 val loss 0.6 acc 0.7\n",
         "log.txt:1: got 'acc' after figures of train and validation, expected a name that says of which part it is; say "
         "import.columns: {validation_accuracy: acc}, or import.ignore: [acc]"),
    Kind("the same, left out", "Epoch 1 train loss 0.5 val loss 0.6 acc 0.7\n",
         "train_loss 0.5; validation_loss 0.6; unread: acc (line 1)", asked={"ignore": ["acc"]}),
    Kind("two lines an epoch", TWO_LINES, OF_TWO_LINES),
    Kind("`Val Loss` lines", VALIDATED.replace("Validation set: Average loss", "Val Loss").replace("Accuracy", "Acc"),
         OF_VALIDATED),
    Kind("`Dev set` lines", VALIDATED.replace("Validation", "Dev"), OF_VALIDATED),
    Kind("a result line at the end", f"{VALIDATED}Test Loss: 0.44 | Test Acc: 80.25%\n", f"{OF_VALIDATED}; test 0.44, 0.8025"),
    Kind("one test line after lines of training alone",
         "Train Epoch: 1 Loss: 0.6\nTrain Epoch: 2 Loss: 0.4\nTest set: Average loss: 0.44, Accuracy: 0.8\n",
         "train_loss 0.6 0.4; test 0.44, 0.8"),
    Kind("PyTorch's tutorial on CIFAR-10", "Epoch 1, loss: 0.6\nEpoch 2, loss: 0.5\nFinished Training\n"
         "Accuracy of the network on the 10000 test images: 85 %\n",
         "train_loss 0.6 0.5; test nan, 0.85; unread: 1 line without figures (the first: 3)"),
    Kind("PyTorch's example on MNIST", "Train Epoch: 1 [0/60000 (0%)]\tLoss: 2.28\nTrain Epoch: 1 [640/60000 (1%)]\tLoss: 1.3\n"
         "\nTest set: Average loss: 0.0493, Accuracy: 9832/10000 (98%)\n\n"
         "Train Epoch: 2 [0/60000 (0%)]\tLoss: 0.08\n\nTest set: Average loss: 0.0393, Accuracy: 9872/10000 (99%)\n",
         "test_loss 0.0493 0.0393; test_accuracy 0.9832 0.9872; test 0.0393, 0.9872; unread: 3 lines of single batches "
         "(the first: 1)"),
    Kind("figures of single batches alone", "Epoch [1/2], Step [100/600], Loss: 2.2\nEpoch [2/2], Step [600/600], Loss: 0.1\n",
         "log.txt:1: got figures of single batches, and none of epochs, expected a line of the mean over each epoch"),
    Kind("the two lines of the sentiment tutorial", "Epoch: 01 | Epoch Time: 0m 6s\n\tTrain Loss: 0.694 | Train Acc: 50.40%\n"
         "\t Val. Loss: 0.696 |  Val. Acc: 48.62%\nEpoch: 02 | Epoch Time: 1m 7s\n\tTrain Loss: 0.594 | Train Acc: 60.40%\n"
         "\t Val. Loss: 0.596 |  Val. Acc: 58.62%\nTest Loss: 0.708 | Test Acc: 47.87%\n",
         "train_loss 0.694 0.594; train_accuracy 0.504 0.604; validation_loss 0.696 0.596; validation_accuracy 0.4862 0.5862; "
         "seconds 6 67; test 0.708, 0.4787"),
    Kind("Keras 2 on a terminal", f"Epoch 1/2\n  1/391 [....] - ETA: 5:01 - loss: 0.69 - accuracy: 0.5\n"
         f"391/391 {BAR} - 5s 12ms/step - loss: 0.6 - accuracy: 0.65 - val_loss: 0.5 - val_accuracy: 0.75\nEpoch 2/2\n"
         f"391/391 {BAR} - 4s 11ms/step - loss: 0.4 - accuracy: 0.8 - val_loss: 0.45 - val_accuracy: 0.79\n",
         f"{OF_VALIDATED}; unread: 1 line of progress bars (the first: 2)"),
    Kind("Keras's `evaluate` after it", f"Epoch 1/1\n391/391 {BAR} - 5s - loss: 0.6 - val_loss: 0.5\n"
         f"157/157 {BAR} - 1s - loss: 0.55\n",
         "train_loss 0.6; validation_loss 0.5; unread: figures of other 157 steps (line 3)"),
    Kind("Keras 3, in colours, drawn anew", "Epoch 1/1\n\x1b[1m100/391\x1b[0m \x1b[32m━━━\x1b[0m\x1b[37m━━\x1b[0m \x1b[1m3s\x1b[0m "
         "12ms/step - loss: 0.9\r\x1b[1m391/391\x1b[0m \x1b[32m━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m5s\x1b[0m 12ms/step - loss: 0.6 - "
         "val_loss: 0.5\n", "train_loss 0.6; validation_loss 0.5; unread: 1 line of progress bars (the first: 2)"),
    Kind("Paddle's `fit`", "Epoch 1/2\nstep  10/938 - loss: 2.1 - acc: 0.2 - 20ms/step\nstep 938/938 - loss: 0.6 - acc: 0.65 - "
         "18ms/step\nEval begin...\nstep 157/157 - loss: 0.5 - acc: 0.75 - 12ms/step\nEpoch 2/2\nstep 938/938 - loss: 0.4 - acc: 0.8"
         "\nEval begin...\nstep 157/157 - loss: 0.45 - acc: 0.79\n",
         f"{OF_VALIDATED}; unread: 1 line of progress bars (the first: 2); 2 lines without figures (the first: 4)"),
    Kind("the dictionaries of Hugging Face's Trainer", "{'loss': 0.6, 'grad_norm': 1.2, 'epoch': 1.0}\n{'eval_loss': 0.5, "
         "'eval_accuracy': 0.75, 'epoch': 1.0}\n{'loss': 0.4, 'epoch': 2.0}\n{'eval_loss': 0.45, 'eval_accuracy': 0.79, 'epoch': 2.0}\n",
         "train_loss 0.6 0.4; validation_loss 0.5 0.45; validation_accuracy 0.75 0.79; unread: grad_norm (line 1)"),
    Kind("validation every second epoch", "".join(f"Epoch {i} train loss 0.{9 - i}\n" + f"val loss 0.{10 - i}\n" * (i % 2 == 0)
                                                  for i in range(1, 7)),
         "train_loss 0.8 0.7 0.6 0.5 0.4 0.3; validation_loss - 0.8 - 0.6 - 0.4"),
    Kind("a validation line that is lost", VALIDATED.rsplit("Validation", 1)[0],
         "log.txt:3: got epoch 2 without a validation line, expected one, as the others have, or one in every n-th epoch"),
    Kind("several runs in one file", LINES * 2, "log.txt:3: got 2 runs, which begin at the lines 1, 3, expected one run; say "
         "which: import.run: 1 to 2"),
    Kind("the second of them", LINES + LINES.replace("0.3", "0.9"), "train_loss 0.9 0.2; validation_accuracy 0.85 0.875", asked={"run": 2}),
    Kind("behind Python's logging", prefixed("2025-06-04 17:39:01,341 - INFO - "), OF_TWO_LINES),
    Kind("behind logging's basic form", prefixed("INFO:root:"), OF_TWO_LINES),
    Kind("behind loguru", prefixed("2025-06-04 17:39:02.341 | INFO     | __main__:train:42 - "), OF_TWO_LINES),
    Kind("behind a time in brackets", prefixed("[17:39:02] "), OF_TWO_LINES),
    Kind("behind the place in the code", prefixed("[2025-06-04 17:39:02][train.py:42][INFO] "), OF_TWO_LINES),
    Kind("in colours", prefixed("\x1b[32m", TWO_LINES.replace("\n", "\x1b[0m\n")), OF_TWO_LINES),
    Kind("with a banner and bars of tqdm", f"{'=' * 30}\n  My lab v1.0\n{LINES}100%|██| 391/391 [00:05<00:00, 70it/s, loss=0.3]\n",
         f"{FIGURES}; unread: 1 line of progress bars (the first: 5); 2 lines without figures (the first: 1)"),
    Kind("names that nobody knows", LINES.replace("|", "| lr 0.001 |", 1) + "Best val acc: 87.5% at epoch 2\n",
         f"{FIGURES}; unread: lr (line 1); Best val acc (line 3); at epoch (line 3)"),
    Kind("a loss that is no number", LINES.replace("0.2", "o.2"), "log.txt:2: got 'train loss o.2', expected a number after each name"),
    Kind("`1,234`", LINES.replace("0.2", "1,234"), "log.txt:2: train_loss: got '1,234', expected a number without a doubt"),
    Kind("a loss that ends as NaN", LINES.replace("0.2", "nan"), "train_loss 0.3; validation_accuracy 0.85; stopped"),
    Kind("in UTF-16", LINES.encode("utf-16"), f"{FIGURES}; UTF-16"),
    Kind("in GBK", ("第1轮 训练损失 0.5 训练准确率 80%\n第2轮 训练损失 0.4 训练准确率 85%\n").encode("gbk"),
         "train_loss 0.5 0.4; train_accuracy 0.8 0.85; GB18030"),
]  # fmt: skip
CSV = "epoch,loss,acc,val_loss,val_acc\n1,0.6,0.65,0.5,0.75\n2,0.4,0.8,0.45,0.79\n"
STEPS = (
    "epoch,step,train_loss,val_loss,val_acc\n0,4,0.7,,\n0,9,0.6,,\n0,9,,0.5,0.75\n1,14,0.4,,\n1,19,,0.45,0.79\n"
)
TABLE_LOGS = [
    Kind("Keras's CSVLogger, called training.log", CSV, OF_VALIDATED, "training.log"),
    Kind("names in words", CSV.replace("epoch,loss,acc,val_loss,val_acc",
         "Epoch,Training_Loss,Training_Accuracy,Validation_Loss,Validation_Accuracy"), OF_VALIDATED, "a.csv"),
    Kind("`eval_loss`, and a column that nobody knows", "epoch,loss,eval_loss,eval_accuracy,f1\n1,0.6,0.5,0.75,1\n2,0.4,0.45,0.79,1\n",
         "train_loss 0.6 0.4; validation_loss 0.5 0.45; validation_accuracy 0.75 0.79; unread: f1", "b.csv"),
    Kind("fastai's history.csv", "epoch,train_loss,valid_loss,accuracy,time\n0,0.6,0.5,0.75,00:48\n1,0.4,0.45,0.79,00:47\n",
         "train_loss 0.6 0.4; validation_loss 0.5 0.45; validation_accuracy 0.75 0.79; seconds 48 47", "history.csv"),
    Kind("an accuracy of nobody knows which part", "epoch,train_loss,val_loss,accuracy\n1,0.6,0.5,0.75\n",
         "c.csv:1: got 'accuracy', expected a name that says of which part it is; say import.columns:", "c.csv"),
    Kind("`accuracy` beside `val_accuracy`", "epoch,train_loss,val_loss,accuracy,val_accuracy\n1,0.6,0.5,0.75,0.7\n",
         "train_loss 0.6; train_accuracy 0.75; validation_loss 0.5; validation_accuracy 0.7", "c.csv"),
    Kind("a time that only grows", "epoch,loss,time\n1,0.6,10.5\n2,0.5,21\n3,0.4,33\n",
         "train_loss 0.6 0.5 0.4; seconds 10.5 10.5 12", "d.csv"),
    Kind("a time that may be either", "epoch,loss,time\n1,0.6,10\n2,0.5,11\n3,0.4,12\n",
         "train_loss 0.6 0.5 0.4; unread: time, which may be that of each epoch or of all so far", "d.csv"),
    Kind("Lightning's metrics.csv with its validation after the training",
         "epoch,step,train_loss,val_loss,val_acc,test_acc\n0,9,0.6,,,\n0,9,,0.5,0.75,\n1,19,0.4,,,\n1,19,,0.45,0.79,\n2,20,,0.44,0.8,\n"
         "2,20,,,,0.81\n", "train_loss 0.6 0.4; validation_loss 0.5 0.45; validation_accuracy 0.75 0.79; test nan, 0.81; unread: step; "
         "validation_loss 0.44, validation_accuracy 0.8 after the last epoch (line 6)", "metrics.csv"),
    Kind("Lightning's loss of each step", STEPS, "metrics.csv:3: train_loss: got a second value in epoch 0, expected one an epoch; was it "
         "logged a step? import.ignore leaves it out", "metrics.csv"),
    Kind("the same, left out", STEPS, "validation_loss 0.5 0.45; validation_accuracy 0.75 0.79; unread: step; train_loss", "metrics.csv",
         {"ignore": ["train_loss"]}),
    Kind("an accuracy that float32 rounded", "epoch,loss,acc\n0,0.2,0.98\n1,0.1,1.0000000298023224\n",
         "train_loss 0.2 0.1; train_accuracy 0.98 1", "e.csv"),
    Kind("semicolons and decimal commas", CSV.replace(",", ";").replace("0.", "0,"), OF_VALIDATED, "f.csv"),
    Kind("`NA` where nothing was measured", CSV.replace("0.5,0.75", "NA,NA"),
         "train_loss 0.6 0.4; train_accuracy 0.65 0.8; validation_loss - 0.45; validation_accuracy - 0.79", "g.csv"),
    Kind("one cell too many", CSV.replace("0.45", "1,045"), "h.csv:3: got 6 cells ('2,0.4,0.8,1,045,0.79'), expected 5, one a column", "h.csv"),
    Kind("two columns of one name", CSV.replace("val_loss", "loss"), "i.csv:1: got the column 'loss' a second time", "i.csv"),
    Kind("two columns of one meaning", CSV.replace("val_loss", "train_loss"), "j.csv:1: got 'loss' and 'train_loss', expected one name for "
         "train_loss; say import.columns:", "j.csv"),
    Kind("several runs, one below the other", CSV + CSV.partition("\n")[2], "k.csv:4: got 2 runs, which begin at the lines 2, 4", "k.csv"),
    Kind("Keras's history as JSON", '{"loss": [0.6, 0.4], "val_loss": [0.5, 0.45]}', "train_loss 0.6 0.4; validation_loss 0.5 0.45", "a.json"),
    Kind("the same, called log.txt", '{"loss": [0.6, 0.4], "val_loss": [0.5, 0.45]}', "train_loss 0.6 0.4; validation_loss 0.5 0.45"),
    Kind("pandas: to_json()", '{"loss":{"0":0.6,"1":0.4},"val_loss":{"0":0.5,"1":0.45}}', "train_loss 0.6 0.4; validation_loss 0.5 0.45", "b.json"),
    Kind("pandas: orient='records'", '[{"loss":0.6,"val_loss":0.5},{"loss":0.4,"val_loss":0.45}]', "train_loss 0.6 0.4; validation_loss 0.5 0.45", "c.json"),
    Kind("pandas: orient='split'", '{"columns":["loss","val_loss"],"index":[0,1],"data":[[0.6,0.5],[0.4,0.45]]}',
         "train_loss 0.6 0.4; validation_loss 0.5 0.45; unread: index", "d.json"),
    Kind("pandas: orient='index'", '{"0":{"loss":0.6,"val_loss":0.5},"1":{"loss":0.4,"val_loss":0.45}}', "train_loss 0.6 0.4; validation_loss 0.5 0.45", "e.json"),
    Kind("an object a line", '{"epoch":1,"loss":0.6}\n{"epoch":2,"loss":0.4}\n', "train_loss 0.6 0.4", "f.jsonl"),
    Kind("values beside the history", '{"history": {"loss": [0.6]}, "params": {"epochs": 1}}', "train_loss 0.6; unread: params", "g.json"),
]  # fmt: skip

LABELLED = "label,text\n" + "".join(f"{'pos' if i % 2 else 'neg'},film {i}\n" for i in range(6))
OF_LABELLED = "6 texts in neg, pos; the last 'film 5'"
CHINESE = "label,text\n" + "".join(
    f"{'好' if i % 2 else '差'},这家店的菜很{'好' if i % 2 else '差'}，服务也是{i}\n" for i in range(6)
)
OF_CHINESE = "6 texts in 好, 差; the last '这家店的菜很好，服务也是5'; characters"
TRADITIONAL = CHINESE.replace("这", "這").replace("务", "務")
ACCENTS = "label,text\n" + "".join(f"{'pos' if i % 2 else 'neg'},très élégant café {i}\n" for i in range(6))
TABLES = [
    Kind("commas", LABELLED, OF_LABELLED, "a.csv"),
    Kind("semicolons", LABELLED.replace(",", ";"), f"{OF_LABELLED}; separated by ;", "a.csv"),
    Kind("tabs in a .csv", LABELLED.replace(",", "\t"), f"{OF_LABELLED}; separated by tab", "a.csv"),
    Kind("bars", LABELLED.replace(",", "|"), f"{OF_LABELLED}; separated by |", "a.csv"),
    Kind("full-width commas", LABELLED.replace(",", "，"), f"{OF_LABELLED}; separated by ，", "a.csv"),
    Kind("commas in a .tsv", LABELLED, OF_LABELLED, "a.tsv"),
    Kind("a mark at the beginning, and line ends of Windows", ("\ufeff" + LABELLED.replace("\n", "\r\n")).encode(), OF_LABELLED, "a.csv"),
    Kind("line ends of old Macs", LABELLED.replace("\n", "\r"), OF_LABELLED, "a.csv"),
    Kind("UTF-16 of Excel's Unicode text", LABELLED.replace(",", "\t").encode("utf-16"), f"{OF_LABELLED}; read as UTF-16; separated by tab", "a.csv"),
    Kind("UTF-16 without its mark", LABELLED.encode("utf-16-le"), "a.csv:1: got a null character, expected text; UTF-16 without a mark? "
         "data.encoding: utf-16-le", "a.csv"),
    Kind("GBK", CHINESE.encode("gbk"), f"{OF_CHINESE}; read as GB18030", "a.csv"),
    Kind("GB18030 with characters of four bytes", CHINESE.replace("5", "5㐀").encode("gb18030"),
         f"{OF_CHINESE.replace('5', '5㐀')}; read as GB18030", "a.csv"),
    Kind("Big5", TRADITIONAL.encode("big5"), "6 texts in 好, 差; the last '這家店的菜很好，服務也是5'; characters; read as Big5", "a.csv"),
    Kind("Big5 that is said", TRADITIONAL.encode("big5"), "6 texts in 好, 差; the last '這家店的菜很好，服務也是5'; characters; read as Big5",
         "a.csv", {"encoding": "big5"}),
    Kind("Latin-1, which nothing tells from others", ACCENTS.encode("latin-1"), "a.csv:2: got the byte 0xe8, which is not UTF-8, expected a "
         "file in UTF-8; as ", "a.csv"),
    Kind("Latin-1 that is said", ACCENTS.encode("latin-1"), "6 texts in neg, pos; the last 'très élégant café 5'; read as Latin-1", "a.csv",
         {"encoding": "latin-1"}),
    Kind("Spanish in Windows-1252", "label,text\na,El niño vio la película\nb,¿Qué tal? «Así, así»\n".encode("cp1252"),
         "a.csv:2: got the byte 0xf1, which is not UTF-8, expected a file in UTF-8; as latin-1 this line is 'a,El niño vio la película'; if "
         "that is right, say data.encoding: latin-1", "a.csv"),
    Kind("Shift JIS", "label,text\na,これはとても面白い映画でした\nb,音楽も良かったです\n".encode("shift_jis"),
         "a.csv:2: got the byte 0x82, which is not UTF-8", "a.csv"),
    Kind("Korean in EUC-KR", "label,text\na,이 영화는 정말 재미있었습니다 배우들의 연기\nb,음악도 아주 좋았어요\n".encode("euc_kr"),
         "a.csv:2: got the byte 0xc0, which is not UTF-8", "a.csv"),
    Kind("Russian in Windows-1251", "label,text\na,Очень хороший фильм\nb,Очень плохой фильм\n".encode("cp1251"),
         "a.csv:2: got the byte 0xce, which is not UTF-8", "a.csv"),
    Kind("no row of names", LABELLED.partition("\n")[2], "a.csv:1: got the first row 'neg,film 0', expected the names of columns, and 'text' "
         "among them; if it is no row of names, but of data, say data.header: false and data.columns: [label, text]", "a.csv"),
    Kind("no row of names, and that is said", LABELLED.partition("\n")[2], OF_LABELLED, "a.csv",
         {"header": False, "columns": ["label", "text"]}),
    Kind("another name for the texts", LABELLED.replace("text", "Text"), "a.csv:1: got the first row 'label,Text', expected the names of "
         "columns, and 'text' among them; did you mean 'Text'?", "a.csv"),
    Kind("a cell too many", LABELLED.replace("film 3", "film 3, again"), "a.csv:5: got 3 cells ('pos,film 3,again'), expected 2, one a "
         "column; commas within a cell need quotation marks around it", "a.csv"),
    Kind("a cell too few", LABELLED.replace("pos,film 3", "film 3"), "a.csv:5: got 1 cells ('film 3'), expected 2, one a column", "a.csv"),
    Kind("two columns of one name", LABELLED.replace("label,text", "text,text"), "a.csv:1: got the column 'text' a second time", "a.csv"),
    Kind("a mark that is not closed", LABELLED.replace("film 3", '"film 3'), "a.csv:5: got a quotation mark that opens here, and is not "
         "closed before line 7", "a.csv"),
    Kind("a mark that is closed by another row's", LABELLED.replace("film 1", '"film 1').replace("film 3", 'film 3"'),
         "a.csv:4: got a cell that goes on over further lines, of which 'neg,film 2' is like a row", "a.csv"),
    Kind("words after a closing mark", LABELLED.replace("film 3", '"film" 3'), "a.csv:5: got a quotation mark that is closed within a cell", "a.csv"),
    Kind("a cell over two lines", LABELLED.replace("film 5", '"film\n5"'), "6 texts in neg, pos; the last 'film\\n5'", "a.csv"),
    Kind("marks that csv doubles, in a .tsv", LABELLED.replace(",", "\t").replace("film 5", '"say ""film"" 5"'),
         "6 texts in neg, pos; the last 'say \"film\" 5'", "a.tsv"),
    Kind("all cells in marks, in a .tsv", "".join("\t".join(f'"{c}"' for c in row.split(",")) + "\n" for row in LABELLED.splitlines()),
         OF_LABELLED, "a.tsv"),
    Kind("a mark that is a character, in a .tsv", LABELLED.replace(",", "\t").replace("film 5", '"film 5'),
         "6 texts in neg, pos; the last '\"film 5'", "a.tsv"),
    Kind("a line end within marks, in a .tsv", LABELLED.replace(",", "\t").replace("film 5", '"film\n5"'),
         "6 texts in neg, pos; the last 'film\\n5'", "a.tsv"),
    Kind("labels 1 and 1.0", LABELLED.replace("pos", "1").replace("neg", "0").replace("1,film 3", "1.0,film 3"),
         "6 texts in 0, 1; the last 'film 5'; 1.0 is 1", "a.csv"),
    Kind("labels 01 and 1, which are names", LABELLED.replace("pos", "01").replace("neg", "1"), "6 texts in 01, 1; the last 'film 5'", "a.csv"),
    Kind("a class in composed and decomposed letters", LABELLED.replace("pos", "café").replace("café,film 3", "cafe\u0301,film 3"),
         "6 texts in café, neg; the last 'film 5'", "a.csv"),
    Kind("an empty text", LABELLED.replace("film 0", ""), f"{OF_LABELLED}; 1 empty", "a.csv"),
    Kind("a key twice, in .jsonl", '{"text": "a", "label": "x", "text": "b"}\n', "a.jsonl:1: got the key 'text' a second time", "a.jsonl"),
    Kind("labels 1 and 1.0, in .jsonl", "".join(f'{{"text": "film {i}", "label": {"1.0" if i == 3 else i % 2}}}\n' for i in range(6)),
         "6 texts in 0, 1; the last 'film 5'; 1.0 is 1", "a.jsonl"),
    Kind("a text that is a list, in .jsonl", '{"text": ["a"], "label": "x"}\n', "a.jsonl:1: text: got a list, or an object", "a.jsonl"),
]  # fmt: skip
DAYS = [f"2020-01-{day:02d}" for day in range(1, 25)]


def series(cells: str = "{i}.5", *, head: str = "Date,Close", days: list[str] = DAYS) -> str:
    """Return a table of two dozen rows."""
    return f"{head}\n" + "".join(f"{day},{cells.format(i=i % 9 + 1)}\n" for i, day in enumerate(days))


OF_SERIES = "24 numbers from 1.5 to 6.5"
SERIES = [
    Kind("a date and a number", series(), f"{OF_SERIES}; dates in Date", "s.csv"),
    Kind("the newest first", series(days=DAYS[::-1]), f"{OF_SERIES}; dates in Date go back 23 times, first in line 3", "s.csv"),
    Kind("the newest first, by day and month", series(days=[f"{d[8:]}/01/2020" for d in DAYS[::-1]]),
         f"{OF_SERIES}; dates in Date go back 23 times, first in line 3", "s.csv"),
    Kind("the newest first, by month and day", series(days=[f"1/{int(d[8:])}/2020" for d in DAYS[::-1]]),
         f"{OF_SERIES}; dates in Date go back 23 times, first in line 3", "s.csv"),
    Kind("the newest first, in Chinese", series(days=[f"2020年1月{int(d[8:])}日" for d in DAYS[::-1]]),
         f"{OF_SERIES}; dates in Date go back 23 times, first in line 3", "s.csv"),
    Kind("the newest first, without marks", series(days=[d.replace("-", "") for d in DAYS[::-1]]),
         f"{OF_SERIES}; dates in Date go back 23 times, first in line 3", "s.csv"),
    Kind("thousands without marks", series("1,{i}34.5"), "s.csv:2: got 3 cells ('2020-01-01,1,134.5'), expected 2, one a column; commas within "
         "a cell need quotation marks around it; is a comma a decimal point, or one of thousands?", "s.csv"),
    Kind("thousands in marks", series('"1,{i}34.5"'), "24 numbers from 1134.5 to 1634.5; dates in Date", "s.csv"),
    Kind("thousands, or decimal commas?", series('"1,{i}34"'), "s.csv:2: Close: got '1,134', expected a number without a doubt: 1.134 or 1134", "s.csv"),
    Kind("thousands, as other rows tell", series('"1,{i}34"') + '2020-01-25,0.5\n', "25 numbers from 1134 to 0.5; dates in Date", "s.csv"),
    Kind("decimal commas", series().replace(",", ";").replace(".", ","), f"{OF_SERIES}; separated by ;; dates in Date", "s.csv"),
    Kind("decimal commas with points of thousands", series().replace(",", ";").replace(";1.5", ";1.001,5"),
         "s.csv:3: Close: got '2.5', expected a finite number", "s.csv"),
    Kind("`NA`", series().replace("2.5", "NA"), "s.csv:3: Close: got 'NA', expected a finite number; 3 rows of the column have none: fill in "
         "what is missing, or leave the rows out of the file", "s.csv"),
    Kind("an empty cell", series().replace("2.5", "", 1), "s.csv:3: Close: got an empty cell, expected a finite number; this row has none", "s.csv"),
    Kind("words", series().replace("2.5", "calm", 1), "s.csv:3: Close: got 'calm', expected a finite number", "s.csv"),
    Kind("`1_000`, which Python takes for a number", series().replace("2.5", "1_000", 1), "s.csv:3: Close: got '1_000', expected a finite", "s.csv"),
    Kind("an infinite number", series().replace("2.5", "inf", 1), "s.csv:3: Close: got 'inf', expected a finite number", "s.csv"),
    Kind("two columns of one name", series("{i}.5,1", head="Date,Close,Close"), "s.csv:1: got the column 'Close' a second time", "s.csv"),
    Kind("no row of names", series().partition("\n")[2], "s.csv:1: got the first row '2020-01-01,1.5', expected the names of columns, and "
         "'Close' among them; if it is no row of names, but of data, say data.header: false", "s.csv"),
    Kind("no row of names, and that is said", series().partition("\n")[2], f"{OF_SERIES}; dates in Date", "s.csv",
         {"header": False, "columns": ["Date", "Close"]}),
    Kind("one column alone", "Close\n" + "".join(f"{i % 9 + 1}.5\n" for i in range(24)), OF_SERIES, "s.csv"),
    Kind("full-width figures", series("１{i}.5"), "24 numbers from 11.5 to 16.5; dates in Date", "s.csv"),
    Kind("GBK names", series(head="日期的时间，我们在这里,Close").replace("，", "").encode("gbk"), f"{OF_SERIES}; read as GB18030; dates in 日期的时间我们在这里", "s.csv"),
]  # fmt: skip
